"""Networks in one file: a safetensors file of our variables that says how to build the model."""

import dataclasses
import functools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from seg_jax.models.build import build_model
from seg_jax.preprocess import Preprocessing
from seg_jax.weights.load import LoadedReference
from seg_jax.weights.state_dict import WeightsError

_FORMAT = 1
_KEY = "seg_jax"
"""Entry of the file's metadata that holds, as JSON, everything but the tensors."""


class Labels(NamedTuple):
    """What the channels of a network's logits stand for.

    Attributes:
        classes: names by class id.
        palette: RGB, each 0..255, by class id.
    """

    classes: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]


@dataclasses.dataclass(frozen=True)
class ImportedNetwork(LoadedReference):
    """A published network as `read_network` rebuilds it.

    Attributes:
        labels: names of its classes, where they are known.
    """

    labels: Labels | None


def write_network(path: Path, network: LoadedReference, labels: Labels | None) -> None:
    """Writes a network so that `read_network` needs nothing else; atomically.

    Args:
        path: the file; replaced if it exists, see `source_of`.
        network: what to write.
        labels: names of its classes, where they are known.

    Raises:
        OSError: the disk is full, or the folder may not be written to.
    """
    facts = {
        "format": _FORMAT,
        "source": network.source,
        "model": network.section,
        "num_classes": network.num_classes,
        "preprocessing": dataclasses.asdict(network.preprocessing),
        "input_size": network.input_size,
        "labels": None if labels is None else labels._asdict(),
    }
    flat = flatten_dict(dict(network.variables), sep="/")
    tensors = {name: np.ascontiguousarray(value) for name, value in flat.items()}
    data = save(tensors, metadata={_KEY: json.dumps(facts)})
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OSError(f"{str(path)!r} cannot be written ({error.strerror}).") from error


def source_of(path: Path) -> str | None:
    """Returns where a file of `write_network` had its weights from; `None` for any other file."""
    try:
        return _facts(path)["source"]
    except WeightsError:
        return None


def is_native(path: Path) -> bool:
    """Tells whether a file is one of `write_network`."""
    return source_of(path) is not None


def read_network(path: Path) -> ImportedNetwork:
    """Rebuilds a network from its file alone.

    Raises:
        WeightsError: the file is damaged, or was written by another version of this program.
    """
    facts = _facts(path)
    try:
        model = build_model(facts["model"], num_classes=facts["num_classes"], axis=None)
        return ImportedNetwork(
            facts["source"],
            model,
            _variables(path, model),
            _preprocessing(facts["preprocessing"]),
            facts["model"],
            facts["num_classes"],
            _pair(facts["input_size"]),
            _labels(facts["labels"], facts["num_classes"]),
        )
    except (KeyError, TypeError, ValueError, SafetensorError) as error:
        raise WeightsError(
            f"{str(path)!r} does not describe a network of this version ({error}). Import it "
            f"again with `python launch.py import`."
        ) from error


def _facts(path: Path) -> dict[str, Any]:
    try:
        with safe_open(path, framework="np") as file:
            facts = json.loads((file.metadata() or {})[_KEY])
        if facts["format"] != _FORMAT or not isinstance(facts["source"], str):
            raise ValueError(f"format {facts['format']!r}")
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{str(path)!r} is no file of `python launch.py import` that this version reads "
            f"({error}). Import it again."
        ) from error
    return facts


def _variables(path: Path, model: Any) -> dict[str, Any]:
    image = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
    shapes = jax.eval_shape(functools.partial(model.init, train=False), jax.random.key(0), image)
    leaves: dict[str, Any] = flatten_dict(dict(shapes), sep="/")
    wanted = {name: leaf.shape for name, leaf in leaves.items()}
    with safe_open(path, framework="np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    given = {name: value.shape for name, value in tensors.items()}
    wrong = sorted(name for name in wanted | given if wanted.get(name) != given.get(name))
    if wrong:
        raise ValueError(
            f"{wrong[0]!r} has shape {given.get(wrong[0])} in the file and "
            f"{wanted.get(wrong[0])} in the model"
        )
    return unflatten_dict(tensors, sep="/")


def _preprocessing(facts: Mapping[str, Any]) -> Preprocessing:
    mean, std = (tuple(map(float, facts[name])) for name in ("mean", "std"))
    if len(mean) != 3 or len(std) != 3 or facts["channel_order"] not in ("rgb", "bgr"):
        raise ValueError(f"preprocessing {dict(facts)}")
    return Preprocessing(mean, std, float(facts["scale"]), facts["channel_order"])


def _pair(size: Any) -> tuple[int, int] | None:
    if size is None:
        return None
    height, width = size
    return int(height), int(width)


def _labels(facts: Mapping[str, Any] | None, num_classes: int) -> Labels | None:
    if facts is None:
        return None
    classes = tuple(map(str, facts["classes"]))
    palette = tuple((int(red), int(green), int(blue)) for red, green, blue in facts["palette"])
    if len(classes) != num_classes or len(palette) != num_classes:
        raise ValueError(f"{len(classes)} classes, {len(palette)} colours for {num_classes}")
    return Labels(classes, palette)
