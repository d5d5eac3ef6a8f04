"""A network written to one file is the same network when it is read."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from seg_jax.initialise import initialise
from seg_jax.models.build import build_model
from seg_jax.preprocess import Preprocessing
from seg_jax.weights.load import LoadedReference
from seg_jax.weights.native import Labels, is_native, read_network, source_of, write_network
from seg_jax.weights.state_dict import WeightsError

SECTION = {"name": "unet", "base_features": 4, "depth": 1, "norm": {"epsilon": 1e-3}}
LABELS = Labels(("sky", "röad", "car"), ((0, 0, 0), (1, 2, 3), (255, 254, 253)))
PREPROCESSING = Preprocessing((0.1, 0.2, 1 / 3), (1.0, 2.0, 3.0), 1.0, "bgr")


@pytest.fixture(scope="module")
def network():
    model = build_model(SECTION, num_classes=3, axis=None)
    variables = initialise(model, (1, 64, 64, 3), seed=1)
    return LoadedReference("lab/unet", model, variables, PREPROCESSING, SECTION, 3, (64, 48))


@pytest.fixture
def path(network, tmp_path):
    path = tmp_path / "net.safetensors"
    write_network(path, network, LABELS)
    return path


def test_the_file_alone_rebuilds_the_network(network, path):
    found = read_network(path)
    for field in ("source", "preprocessing", "num_classes", "input_size"):
        assert getattr(found, field) == getattr(network, field)
    assert found.labels == LABELS
    jax.tree.map(np.testing.assert_array_equal, found.variables, dict(network.variables))
    image = jnp.asarray(np.random.RandomState(0).randn(1, 8, 8, 3), jnp.float32)
    # The epsilon is in the section alone: with another the logits would differ.
    logits = [
        each.model.apply(each.variables, image, train=False).logits for each in (found, network)
    ]
    np.testing.assert_array_equal(*logits)


def test_keys_are_paths_in_the_variables(network, path):
    wanted = flatten_dict(dict(network.variables), sep="/")
    assert load_file(path).keys() == wanted.keys()
    assert all(key.startswith(("params/", "batch_stats/")) for key in wanted)


def test_labels_and_input_size_may_be_unknown(network, tmp_path):
    path = tmp_path / "net.safetensors"
    write_network(path, dataclasses.replace(network, input_size=None), None)
    found = read_network(path)
    assert found.labels is None
    assert found.input_size is None


def test_a_file_says_where_it_is_from(path, tmp_path):
    assert source_of(path) == "lab/unet"
    assert is_native(path)
    other = tmp_path / "other.safetensors"
    save_file({"a": np.zeros(1)}, other)
    (tmp_path / "text").write_text("no weights")
    for wrong in (other, tmp_path / "text", tmp_path / "none"):
        assert source_of(wrong) is None
        assert not is_native(wrong)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(network, path, monkeypatch):
    before = path.read_bytes()

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_network(path, network, None)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_one_sentence(network, path):
    with pytest.raises(OSError, match="cannot be written"):
        write_network(path / "net.safetensors", network, None)


def changed(path, **facts):
    """Writes the file again with other facts in its metadata."""
    with safe_open(path, framework="np") as file:
        text = json.loads(file.metadata()["seg_jax"])
    save_file(load_file(path), path, metadata={"seg_jax": json.dumps(text | facts)})


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"format": 2}, "format 2"),
        ({"num_classes": 4}, r"'params/classifier/bias' has shape \(3,\) in the file and \(4,\)"),
        ({"model": {"name": "unett"}}, "Did you mean 'unet'"),
        ({"model": {"name": "unet", "base_features": 4, "depth": 2}}, "has shape None in the file"),
        ({"preprocessing": {"mean": [1, 2, 3]}}, "'std'"),
        ({"preprocessing": {"mean": [1], "std": [1], "scale": 1, "channel_order": "rgb"}}, "mean"),
        ({"input_size": 7}, "int"),
        ({"labels": {"classes": ["a"], "palette": [[0, 0, 0]]}}, "1 classes, 1 colours for 3"),
        ({"source": None}, "format 1"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(path, facts, sentence):
    changed(path, **facts)
    with pytest.raises(WeightsError, match=sentence) as caught:
        read_network(path)
    assert "\n" not in str(caught.value)


def test_a_truncated_file_is_refused(path):
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(WeightsError, match="is no file of `python launch"):
        read_network(path)
