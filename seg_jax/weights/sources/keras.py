"""Keras Applications: ResNet-50 as in Caffe, its convolutions with biases in front of the norms."""

from collections.abc import Mapping

import numpy as np

from seg_jax.preprocess import Preprocessing
from seg_jax.weights.names import conv_norm

KERAS_CAFFE = Preprocessing(
    mean=(123.68, 116.779, 103.939), std=(1.0, 1.0, 1.0), scale=1.0, channel_order="bgr"
)
"""Its mode "caffe"."""

RESNET50_NAMES = conv_norm(
    {
        "stem1": ("conv1_conv", "conv1_bn"),
        "stage{i}_block{j}/conv{k}": (
            "conv{i+1}_block{j}_{k}_conv",
            "conv{i+1}_block{j}_{k}_bn",
        ),
        "stage{i}_block{j}/shortcut": ("conv{i+1}_block{j}_0_conv", "conv{i+1}_block{j}_0_bn"),
    }
)

_TENSORS = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def in_pytorch_form(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Renames "layer/kernel:0" to "layer.weight" and lays kernels out as PyTorch does.

    Layers may stand in a group of their own name, as Keras' files have them. What has no
    counterpart keeps its name, so that the conversion names it.
    """
    state = {}
    for key, value in tensors.items():
        layer, _, tensor = key.removesuffix(":0").rpartition("/")
        if tensor not in _TENSORS:
            state[key] = value
            continue
        kernel = value.transpose(3, 2, 0, 1) if value.ndim == 4 else value
        state[f"{layer.rpartition('/')[2]}.{_TENSORS[tensor]}"] = kernel
    return state
