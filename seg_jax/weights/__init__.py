"""Published weights by name; adding some is a line here and a `BackboneWeights` in a module."""

from pathlib import Path
from typing import Any

from seg_jax.registry import resolve

WEIGHTS = {
    "mobilenet_v2_imagenet": "seg_jax.weights.torchvision:MOBILENET_V2",
    "resnet18_imagenet": "seg_jax.weights.torchvision:RESNET18",
    "resnet34_imagenet": "seg_jax.weights.torchvision:RESNET34",
    "resnet50_imagenet": "seg_jax.weights.torchvision:RESNET50",
    "resnet101_imagenet": "seg_jax.weights.torchvision:RESNET101",
}
"""Config name -> the key names and input statistics of a published state dict."""


def load_weights(name: str, path: str | Path, variables: Any) -> tuple[Any, Any]:
    """Replaces the backbone in a model's variables by published weights.

    Args:
        name: key of `WEIGHTS`.
        path: safetensors file that holds the published state dict under its own key names.
        variables: {"params": ..., "batch_stats": ...} of a model with the same backbone; the
            values of the backbone are not read, only their names and shapes.

    Returns:
        The variables with the subtree "backbone" replaced, and the `Preprocessing` the
        weights were trained with.

    Raises:
        UnknownNameError: `name` is not in `WEIGHTS`.
        FileNotFoundError: there is no file at `path`.
        WeightsError: the file is damaged or does not fit the backbone key by key.
    """
    weights = resolve(name, WEIGHTS, kind="weights", field="config.weights.name")
    return weights.load(path, variables), weights.preprocessing
