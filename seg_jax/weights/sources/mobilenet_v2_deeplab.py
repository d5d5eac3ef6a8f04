"""DeepLab over MobileNetV2 as its authors released it: no atrous branch, no decoder.

transformers keeps it as a PyTorch state dict, TFLite with batch normalisation folded into the
convolutions.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from seg_jax.preprocess import Preprocessing
from seg_jax.weights.names import Names, Place, conv_norm, under
from seg_jax.weights.sources.backbones import mobilenet_v2_blocks
from seg_jax.weights.sources.reference import Reference, Tensors

_MINUS_ONE_TO_ONE = Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
_EPSILON = 1e-5
_POOLED = 256
"""Channels of the pooled branch, which the release joins first."""


def _section(width: float, *, align_corners: bool) -> Mapping[str, Any]:
    return {
        "name": "deeplab_v3",
        "align_corners": align_corners,
        "atrous_rates": (),
        "backbone": {
            "name": "mobilenet_v2",
            "output_stride": 8,
            "width": width,
            "channel_multiple": 8 if width >= 1 else 1,
            "last_features": None,
            "padding": "tensorflow",
        },
    }


def _transformers_backbone() -> Names:
    pairs = {"stem": "conv_stem.first_conv"}
    for block, index in mobilenet_v2_blocks().items():
        if index == 1:
            pairs[f"{block}/depthwise"] = "conv_stem.conv_3x3"
            pairs[f"{block}/project"] = "conv_stem.reduce_1x1"
            continue
        there = f"layer.{index - 2}"
        pairs[f"{block}/expand"] = f"{there}.expand_1x1"
        pairs[f"{block}/depthwise"] = f"{there}.conv_3x3"
        pairs[f"{block}/project"] = f"{there}.reduce_1x1"
    return conv_norm(
        {ours: (f"{there}.convolution", f"{there}.normalization") for ours, there in pairs.items()}
    )


HUGGING_FACE = Reference(
    # Its post-processing resizes logits without aligned corners, the release with them.
    section=_section(1.0, align_corners=False),
    names={
        **under(_transformers_backbone(), here="backbone", there="mobilenet_v2."),
        "head/aspp/pool/conv": "segmentation_head.conv_pool.convolution",
        "head/aspp/pool/norm": "segmentation_head.conv_pool.normalization",
        "head/aspp/point/conv": "segmentation_head.conv_aspp.convolution",
        "head/aspp/point/norm": "segmentation_head.conv_aspp.normalization",
        "head/aspp/project/conv": Place(
            "segmentation_head.conv_projection.convolution", parts=(_POOLED, -1)
        ),
        "head/aspp/project/norm": "segmentation_head.conv_projection.normalization",
        "head/classifier": "segmentation_head.classifier.convolution",
    },
    preprocessing=_MINUS_ONE_TO_ONE,
    # It is built with the rest of the classification network and not read.
    dropped=("mobilenet_v2.conv_1x1.",),
    epsilons={"backbone": 1e-3},
)


def _unfold(tensors: Tensors) -> dict[str, np.ndarray]:
    """Returns a state dict in PyTorch's form whose norms only add the folded biases.

    Keys are those of the file with PyTorch's names behind them.
    """
    state = {}
    for key, value in tensors.items():
        if key.startswith("logits/"):
            module, _, tensor = key.rpartition("/")
            kernel = tensor == "weights"
            state[f"{module}.{'weight' if kernel else 'bias'}"] = (
                value.transpose(0, 3, 1, 2) if kernel else value
            )
        elif key.endswith("depthwise_weights"):
            state[f"{key}.weight"] = value.transpose(3, 0, 1, 2)
        elif key.endswith("weights"):
            state[f"{key}.weight"] = value.transpose(0, 3, 1, 2)
        else:
            state[f"{key}.bias"] = value
            state[f"{key}.weight"] = np.ones_like(value)
            state[f"{key}.running_mean"] = np.zeros_like(value)
            state[f"{key}.running_var"] = np.ones_like(value) - np.float32(_EPSILON)
    return state


def _tflite_layer(there: str) -> tuple[str, str]:
    return f"{there}/weights", f"{there}/Conv2D_bias"


def _tflite_backbone() -> Names:
    pairs = {"stem": _tflite_layer("Conv")}
    for block, index in mobilenet_v2_blocks().items():
        there = "expanded_conv" if index == 1 else f"expanded_conv_{index - 1}"
        if index > 1:
            pairs[f"{block}/expand"] = _tflite_layer(f"{there}/expand")
        pairs[f"{block}/depthwise"] = (
            f"{there}/depthwise/depthwise_weights",
            f"{there}/depthwise/depthwise_bias",
        )
        pairs[f"{block}/project"] = _tflite_layer(f"{there}/project")
    return conv_norm(pairs)


TFLITE = Reference(
    section=_section(0.5, align_corners=True),
    names={
        **under(_tflite_backbone(), here="backbone", there="MobilenetV2/"),
        **conv_norm(
            {
                "head/aspp/pool": _tflite_layer("image_pooling"),
                "head/aspp/point": _tflite_layer("aspp0"),
            }
        ),
        "head/aspp/project/conv": Place("concat_projection/weights", parts=(_POOLED, -1)),
        "head/aspp/project/norm": "concat_projection/Conv2D_bias",
        "head/classifier": "logits/semantic",
    },
    preprocessing=_MINUS_ONE_TO_ONE,
    input_size=(257, 257),
    prepare=_unfold,
)
