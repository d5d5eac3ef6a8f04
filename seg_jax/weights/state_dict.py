"""Converts published tensors to Flax variables: every tensor is used once, every leaf set once."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from seg_jax.weights.names import Names, Place, find

_TENSORS = {
    "kernel": ("weight",),
    "interpolation": ("weight",),
    "scale": ("weight", "scale"),
    "bias": ("bias",),
    "mean": ("running_mean",),
    "var": ("running_var",),
    "codewords": ("codewords",),
}
"""Leaf of ours -> what the reference may call it inside its module."""

_BOOKKEEPING = ".num_batches_tracked"
"""Read only by PyTorch's cumulative averages, which no published network uses."""


class WeightsError(ValueError):
    """Weights that do not fit; the message names the tensor and what comes nearest."""


def convert(
    tensors: Mapping[str, np.ndarray],
    names: Names,
    target: Mapping[str, Any],
    *,
    dropped: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Returns variables shaped like `target` with the values of a reference's state dict.

    Kernels [o, i, h, w] become [h, w, i, o], matrices [o, i] become [i, o]. Where the
    reference's convolution has a bias in front of a norm and ours has none, the bias is taken
    off the norm's mean, which is the same function.

    Args:
        tensors: the reference's own key -> array.
        names: module here -> module of the reference.
        target: {"params": ..., "batch_stats": ...}; only names and shapes are read.
        dropped: prefixes of keys that belong to no part of the network, such as the image
            classifier of a pretrained backbone.

    Raises:
        WeightsError: a tensor has no place, a leaf of `target` has no tensor, or shapes differ.
    """
    given = {
        key: value
        for key, value in tensors.items()
        if not key.endswith(_BOOKKEEPING) and not key.startswith(dropped)
    }
    wanted: dict[str, Any] = flatten_dict(dict(target), sep="/")
    keys = {leaf: _key(leaf, names, given) for leaf in wanted}
    biases = _biases_before_norms(keys, names, given)
    _check_used_once(given, [key for key, _ in keys.values()] + list(biases.values()))
    converted = {}
    for leaf, (key, place) in keys.items():
        value = _laid_out(given[key], place, leaf.rpartition("/")[2])
        if value.shape != wanted[leaf].shape:
            laid_out = (
                "" if value.shape == given[key].shape else f", {value.shape} laid out as ours"
            )
            raise WeightsError(
                f"{key!r} of the weights has shape {given[key].shape}{laid_out}, but {leaf!r} of "
                f"the model has {wanted[leaf].shape}. Check the number of classes and the fields "
                f"of config.model against what the weights were trained with."
            )
        if leaf in biases:
            value = value - given[biases[leaf]]
        converted[leaf] = np.asarray(value, wanted[leaf].dtype)
    return unflatten_dict(converted, sep="/")


def _key(leaf: str, names: Names, given: Mapping[str, Any]) -> tuple[str, Place]:
    """Returns the key under which the reference keeps a leaf of ours, and how it is laid out."""
    module, _, last = leaf.partition("/")[2].rpartition("/")
    place = find(module, names)
    if place is None:
        raise WeightsError(
            f"The table of these weights has no line for {leaf!r} of the model. Set the fields "
            f"of config.model to the network that the weights were trained as."
        )
    keys = [f"{place.module}.{tensor}" for tensor in _TENSORS[last]]
    return next((key for key in keys if key in given), keys[0]), place


def _biases_before_norms(
    keys: Mapping[str, tuple[str, Place]], names: Names, given: Mapping[str, Any]
) -> dict[str, str]:
    """Returns {mean of a norm: key of the bias that the convolution before it has}."""
    biases = {}
    for leaf in keys:
        if leaf.startswith("batch_stats/") and leaf.endswith("/norm/mean"):
            conv = leaf.removeprefix("batch_stats/").removesuffix("norm/mean") + "conv"
            place = find(conv, names)
            if place is not None and f"{place.module}.bias" in given:
                biases[leaf] = f"{place.module}.bias"
    return biases


def _check_used_once(given: Mapping[str, Any], expected: list[str]) -> None:
    unused = sorted(given.keys() - set(expected))
    missing = sorted(set(expected) - given.keys())
    if unused:
        raise WeightsError(
            f"{_list(unused)} of the weights {_have(unused)} no place in the model"
            f"{_nearest(unused[0], missing or expected, 'which wants')}. Name the network that "
            f"the weights belong to, and its variant."
        )
    if missing:
        raise WeightsError(
            f"{_list(missing)} {_have(missing)} no value in the weights"
            f"{_nearest(missing[0], given, 'which hold')}. Name the network that the weights "
            f"belong to, and its variant."
        )
    twice = sorted({key for key in expected if expected.count(key) > 1})
    if twice:
        raise WeightsError(f"{_list(twice)} of the weights would be used more than once.")


def _nearest(key: str, known: Iterable[str], verb: str) -> str:
    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.0)
    return f" ({verb} {near[0]!r}, the nearest name)" if near else ""


def _laid_out(value: np.ndarray, place: Place, leaf: str) -> np.ndarray:
    if value.ndim == 4:
        value = value.transpose((2, 3, 0, 1) if place.layout == "transposed" else (2, 3, 1, 0))
    elif leaf == "kernel" and value.ndim == 2:
        value = value.T
    if not place.parts:
        return value
    # A depthwise kernel and a norm have the channels that they read on their last axis.
    axis = 2 if value.ndim == 4 and value.shape[2] > 1 else -1
    return np.take(value, _reversed_parts(place.parts, value.shape[axis]), axis=axis)


def _reversed_parts(parts: tuple[int, ...], channels: int) -> np.ndarray:
    known = sum(part for part in parts if part >= 0)
    sizes = [channels - known if part < 0 else part for part in parts]
    return np.concatenate(np.split(np.arange(channels), np.cumsum(sizes)[:-1])[::-1])


def _have(names: list[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _list(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:3]))
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
