"""The two verbs, one after the other: published weights to a file, the file to masks."""

import argparse
import dataclasses
import functools
import json
import sys
import types

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict
from PIL import Image

from seg_jax.commands import import_, predict
from seg_jax.config import ConfigError
from seg_jax.initialise import initialise
from seg_jax.models.build import build_model
from seg_jax.preprocess import normalise
from seg_jax.registry import UnknownNameError
from seg_jax.weights import REFERENCES
from seg_jax.weights.names import find
from seg_jax.weights.native import read_network
from seg_jax.weights.sources.milesial import UNET

SECTION = {"name": "unet", "base_features": 4, "depth": 1}
TENSORS = {"kernel": "weight", "scale": "weight", "bias": "bias"} | {
    "mean": "running_mean",
    "var": "running_var",
}
"""Leaf of ours -> PyTorch's name."""


@pytest.fixture
def verb():
    """Runs a verb with command-line arguments and returns its exit status."""

    def run(command, *arguments):
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        options, rest = parser.parse_known_args([str(argument) for argument in arguments])
        return command.run(options, rest)

    return run


@pytest.fixture
def variables():
    model = build_model(SECTION, num_classes=21, axis=None)
    return initialise(model, (1, 64, 64, 3), seed=1)


@pytest.fixture
def published(tmp_path, variables, monkeypatch):
    """A small network that counts as published, and the file with its state dict."""
    module = types.ModuleType("lab")
    module.TINY = dataclasses.replace(UNET, section=SECTION)
    monkeypatch.setitem(sys.modules, "lab", module)
    monkeypatch.setitem(REFERENCES, "lab/tiny", "lab:TINY")
    state = {}
    for leaf, value in flatten_dict(dict(variables), sep="/").items():
        path, _, last = leaf.partition("/")[2].rpartition("/")
        place = find(path, UNET.names)
        if value.ndim == 4:
            value = np.transpose(
                value, (2, 3, 0, 1) if place.layout == "transposed" else (3, 2, 0, 1)
            )
        state[f"{place.module}.{TENSORS[last]}"] = value
    np.savez(tmp_path / "tiny.npz", **state)
    return tmp_path / "tiny.npz"


@pytest.fixture
def native(tmp_path, published, verb):
    out = tmp_path / "tiny.safetensors"
    assert verb(import_, "--source=lab/tiny", f"--weights={published}", f"--out={out}") == 0
    return out


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "[red]photo.png"
    cv2.imwrite(str(path), np.random.RandomState(0).randint(0, 256, (70, 90, 3)))
    return path


@pytest.fixture(autouse=True)
def no_cache(monkeypatch):
    """The cache is a setting of the process, which the other tests are in."""
    monkeypatch.setattr("seg_jax.compilation_cache.enable", lambda: None)


def test_import_keeps_every_number_and_says_what_they_are(native, variables, capsys):
    network = read_network(native)
    jax.tree.map(np.testing.assert_array_equal, network.variables, variables)
    assert network.source == "lab/tiny"
    assert network.labels.classes[15] == "person"
    assert network.preprocessing == UNET.preprocessing


def test_import_replaces_a_file_of_the_same_source_alone(native, published, tmp_path, verb):
    arguments = (f"--weights={published}", f"--out={native}")
    assert verb(import_, "--source=lab/tiny", *arguments) == 0
    with pytest.raises(FileExistsError, match="was not imported from 'milesial/unet'"):
        verb(import_, "--source=milesial/unet", *arguments)
    with pytest.raises(FileExistsError):
        verb(import_, "--source=lab/tiny", f"--weights={published}", f"--out={published}")


def test_import_refuses_an_unknown_source_before_it_reads(tmp_path, verb):
    with pytest.raises(UnknownNameError, match="Did you mean 'torchvision/fcn_resnet50'"):
        verb(
            import_,
            "--source=torchvision/fcn_resnet5",
            f"--weights={tmp_path / 'none'}",
            f"--out={tmp_path / 'x'}",
        )


def test_predict_writes_the_classes_of_the_highest_scores(native, photo, tmp_path, verb, capsys):
    out = tmp_path / "out"
    assert verb(predict, f"--weights={native}", f"--out={out}", photo) == 0
    network = read_network(native)
    picture = cv2.imread(str(photo))[None, :, :, ::-1]
    image = normalise(jnp.asarray(picture), network.preprocessing)
    apply = functools.partial(network.model.apply, train=False)
    scores = jax.jit(apply)(network.variables, image).logits
    mask = np.asarray(Image.open(out / "[red]photo_mask.png"))
    np.testing.assert_array_equal(mask, np.asarray(scores[0]).argmax(-1))
    printed = capsys.readouterr().out
    assert f"{photo} (90x70): " in printed
    largest = np.bincount(mask.reshape(-1)).argmax()
    assert printed.split("(90x70): ")[1].startswith(network.labels.classes[largest])
    assert (out / "[red]photo_overlay.jpg").exists()


def test_predict_takes_published_weights_as_they_are(native, published, photo, tmp_path, verb):
    for weights, name in ((native, "a"), (published, "b")):
        source = ["--source=lab/tiny"] if weights == published else []
        verb(predict, f"--weights={weights}", *source, f"--out={tmp_path / name}", photo)
    masks = [(tmp_path / name / "[red]photo_mask.png").read_bytes() for name in "ab"]
    assert masks[0] == masks[1]


def test_predict_reports_what_it_skips(native, photo, tmp_path, verb, capsys):
    (tmp_path / "[bold]bad.png").write_text("no picture")
    out = tmp_path / "out"
    assert (
        verb(predict, f"--weights={native}", f"--out={out}", photo, tmp_path / "[bold]bad.png") == 1
    )
    captured = capsys.readouterr()
    assert "[bold]bad.png: skipped, " in captured.err
    assert "1 pictures predicted, 1 skipped" in captured.out
    summary = json.loads((out / "predictions.json").read_text())
    assert [("error" in entry) for entry in summary["pictures"]] == [True, False]


def test_predict_says_what_an_interruption_leaves(native, photo, tmp_path, verb, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("seg_jax.predict.run.read_picture", interrupt)
    with pytest.raises(KeyboardInterrupt, match="is whole"):
        verb(predict, f"--weights={native}", f"--out={tmp_path / 'out'}", photo)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (["--workdir={tmp}"], ConfigError, "holds no config.json"),
        (["--workdir={tmp}", "--source=milesial/unet"], ValueError, "Leave --source out"),
        (["--weights={tmp}/none"], FileNotFoundError, "No weights file"),
        (["--weights={native}", "--max_side=5"], ValueError, "Set it to 64 or more"),
        (["--weights={native}", "--config.seed=1"], ConfigError, "is no option of this verb"),
        (["--weights={native}", "{tmp}/none.png"], FileNotFoundError, "no file or folder"),
    ],
)
def test_predict_refuses_in_one_sentence(native, photo, tmp_path, verb, arguments, error, sentence):
    filled = [argument.format(tmp=tmp_path, native=native) for argument in arguments]
    with pytest.raises(error, match=sentence):
        verb(predict, *filled, f"--out={tmp_path / 'out'}", photo)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [import_, predict])
def test_help_lists_the_published_networks(command):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    printed = parser.format_help()
    assert all(f"\n  {source}\n" in printed for source in REFERENCES)
