"""Networks of segmentation-models-pytorch over its pretrained encoders."""

from collections.abc import Mapping
from typing import Any

from seg_jax.preprocess import IMAGENET, Preprocessing
from seg_jax.weights.names import Names, Place, conv_norm, under
from seg_jax.weights.sources.backbones import MOBILENET_V2, RESNET
from seg_jax.weights.sources.reference import Reference
from seg_jax.weights.sources.torchvision import ASPP

_CLASSIFIER = {"classifier": "segmentation_head.0"}


def _unet_decoder(upsampled: Mapping[int, int]) -> Names:
    """Returns the decoder's table; its blocks join the upsampled map first, ours the skip.

    Args:
        upsampled: channels of the upsampled map by block.
    """
    names: dict[str, str | Place] = {}
    for block in range(5):
        here, there = f"decoder/stage{5 - block}", f"decoder.blocks.{block}"
        names[f"{here}/conv1"] = Place(
            f"{there}.conv1.0", parts=(upsampled[block], -1) if block in upsampled else ()
        )
        names[f"{here}/norm1"] = f"{there}.conv1.1"
        names[f"{here}/conv2"] = f"{there}.conv2.0"
        names[f"{here}/norm2"] = f"{there}.conv2.1"
    return names


def _unet(name: str, deepest: int) -> Reference:
    return Reference(
        section={
            "name": "unet",
            "upsampling": "nearest",
            "base_features": 16,
            "classifier_kernel_size": 3,
            "backbone": {"name": name},
        },
        names={
            **under(RESNET, here="backbone", there="encoder."),
            **_unet_decoder({0: deepest, 1: 256, 2: 128, 3: 64}),
            **_CLASSIFIER,
        },
    )


_SEPARABLE_ASPP = {
    **ASPP,
    "atrous{i}/depthwise/conv": "convs.{i}.0.0",
    "atrous{i}/pointwise/conv": "convs.{i}.0.1",
    "atrous{i}/pointwise/norm": "convs.{i}.1",
}

_DEEPLABV3PLUS_HEAD = {
    **under(_SEPARABLE_ASPP, here="aspp", there="decoder.aspp.0."),
    "refine/depthwise/conv": "decoder.aspp.1.0",
    "refine/pointwise/conv": "decoder.aspp.1.1",
    "refine/pointwise/norm": "decoder.aspp.2",
    **conv_norm({"decoder/low_level": ("decoder.block1.0", "decoder.block1.1")}),
    "decoder/conv1/depthwise/conv": "decoder.block2.0.0",
    "decoder/conv1/pointwise/conv": "decoder.block2.0.1",
    "decoder/conv1/pointwise/norm": "decoder.block2.1",
    **_CLASSIFIER,
}

_DEEPLABV3_HEAD = {
    **under(ASPP, here="head/aspp", there="decoder.aspp."),
    **conv_norm({"head/refine": ("decoder.conv", "decoder.bn")}),
    "head/classifier": "segmentation_head.0",
}


def _dilated(name: str, output_stride: int) -> Mapping[str, Any]:
    return {"name": name, "output_stride": output_stride, "entry_keeps_rate": False}


def deeplab_v3plus(
    backbone: Mapping[str, Any],
    encoder: Names,
    *,
    preprocessing: Preprocessing = IMAGENET,
    epsilons: Mapping[str, float] | None = None,
) -> Reference:
    """Returns its DeepLabV3Plus over a backbone of ours whose table is `encoder`."""
    return Reference(
        preprocessing=preprocessing,
        epsilons=epsilons or {},
        section={
            "name": "deeplab_v3plus",
            # Its default at output stride 16, where the paper has half of them.
            "atrous_rates": (12, 24, 36),
            "depthwise_norm": False,
            "refine": True,
            "decoder_convs": 1,
            "dropout_rate": 0.5,
            "backbone": backbone,
        },
        names={**under(encoder, here="backbone", there="encoder."), **_DEEPLABV3PLUS_HEAD},
    )


UNET_RESNET34 = _unet("resnet34", 512)
UNET_RESNET50 = _unet("resnet50", 2048)
DEEPLABV3_RESNET50 = Reference(
    section={
        "name": "deeplab_v3",
        "atrous_rates": (12, 24, 36),
        "refine": True,
        "dropout_rate": 0.5,
        "backbone": _dilated("resnet50", 8),
    },
    names={**under(RESNET, here="backbone", there="encoder."), **_DEEPLABV3_HEAD},
)
DEEPLABV3PLUS_RESNET50 = deeplab_v3plus(_dilated("resnet50", 16), RESNET)
DEEPLABV3PLUS_MOBILENET_V2 = deeplab_v3plus(_dilated("mobilenet_v2", 16), MOBILENET_V2)
PSPNET_RESNET50 = Reference(
    section={
        "name": "pspnet",
        "head_stride": 8,
        "norm_pooled": False,
        "head_kernel_size": 1,
        "classifier_kernel_size": 3,
        "dropout_rate": 0.2,
        "backbone": {"name": "resnet50"},
    },
    names={
        **under(RESNET, here="backbone", there="encoder."),
        **conv_norm(
            {
                "head/pyramid/pool{i}": (
                    "decoder.psp.blocks.{i-1}.pool.1.0",
                    "decoder.psp.blocks.{i-1}.pool.1.1",
                )
            }
        ),
        # The pyramid stands in front of the features, behind them here.
        "head/project/conv": Place("decoder.conv.0", parts=(512, -1)),
        "head/project/norm": "decoder.conv.1",
        "head/classifier": "segmentation_head.0",
    },
)
