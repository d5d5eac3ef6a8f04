"""Converts PyTorch state dicts to Flax variables: every key is used once, every leaf set once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict
from safetensors import SafetensorError
from safetensors.numpy import load_file

_LEAVES = {
    "weight": (("params", "kernel"), ("params", "scale")),
    "bias": (("params", "bias"),),
    "running_mean": (("batch_stats", "mean"),),
    "running_var": (("batch_stats", "var"),),
}
"""PyTorch's name of a tensor -> the (collection, leaf) it can be here."""

_BOOKKEEPING = ".num_batches_tracked"
"""Read only by PyTorch's cumulative averages, which no published network uses."""


class WeightsError(ValueError):
    """Weights that do not fit; the message names the key and the field to change."""


def read_state_dict(path: str | Path) -> dict[str, np.ndarray]:
    """Reads the tensors of a safetensors file.

    Raises:
        FileNotFoundError: there is no file at `path`.
        WeightsError: the file is not a complete safetensors file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"No weights file {str(path)!r}. Set config.weights.path to a safetensors file."
        )
    try:
        return load_file(path)
    except SafetensorError as error:
        raise WeightsError(
            f"{str(path)!r} is not a complete safetensors file ({error}). Download it again, or "
            f"convert a PyTorch file with safetensors.torch.save_file."
        ) from error


def convert(
    state: Mapping[str, np.ndarray], modules: Mapping[str, str], target: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns variables shaped like `target` with the values of a PyTorch state dict.

    Kernels [o, i, h, w] become [h, w, i, o].

    Args:
        state: PyTorch key -> array, holding nothing that `modules` does not name.
        modules: PyTorch module -> module here, e.g. "layer1.0.bn1" -> "stage1_block1/conv1/norm".
        target: {"params": ..., "batch_stats": ...}; only names and shapes are read.

    Raises:
        WeightsError: a key has no place, a shape differs, or a leaf of `target` stays unset.
    """
    wanted: dict[str, Any] = flatten_dict(dict(target), sep="/")
    converted = {}
    for key, value in state.items():
        if key.endswith(_BOOKKEEPING):
            continue
        leaf = _place(key, modules, wanted)
        if leaf in converted:
            raise WeightsError(f"{key!r} of the weights is a second value for {leaf!r}.")
        if value.ndim == 4:
            value = value.transpose(2, 3, 1, 0)
        if value.shape != wanted[leaf].shape:
            raise WeightsError(
                f"{key!r} of the weights has shape {value.shape} as {leaf!r}, but the model has "
                f"{wanted[leaf].shape} there. Set the fields of config.model.backbone to the "
                f"sizes the weights were trained with."
            )
        converted[leaf] = np.asarray(value, wanted[leaf].dtype)
    missing = sorted(wanted.keys() - converted.keys())
    if missing:
        raise WeightsError(
            f"The weights leave {_list(missing)} unset. Set config.weights.name and "
            f"config.model.backbone to the same network."
        )
    return unflatten_dict(converted, sep="/")


def _place(key: str, modules: Mapping[str, str], wanted: Mapping[str, Any]) -> str:
    """Returns the leaf of the model that belongs to a key of the state dict."""
    module, _, tensor = key.rpartition(".")
    candidates = [
        f"{collection}/{modules[module]}/{leaf}"
        for collection, leaf in _LEAVES.get(tensor, ())
        if module in modules
    ]
    for candidate in candidates:
        if candidate in wanted:
            return candidate
    expected = f" (looked for {_list(candidates)})" if candidates else ""
    raise WeightsError(
        f"{key!r} of the weights has no place in the model{expected}. Set config.weights.name and "
        f"config.model.backbone to the same network."
    )


def _list(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:3]))
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
