"""Networks of mmsegmentation under the names of its `_base_/models` configs.

Keys are those of the state dict inside its checkpoints. Heads after a ResNet have names of
their own here; the auxiliary head is the same in all of them.
"""

from collections.abc import Mapping
from typing import Any

from seg_jax.weights.names import Names, Place, conv_norm, under
from seg_jax.weights.sources.backbones import RESNET_V1C
from seg_jax.weights.sources.reference import Reference

_V1C = {"name": "resnet50", "stem": "3x3", "stem_width": 64}
D8 = {**_V1C, "output_stride": 8}
D32_DILATED = {**_V1C, "stage_rates": (1, 1, 2, 4)}
"""Of its FastFCN: strides 32 and yet the rates of output stride 8."""

AUX = {
    **conv_norm({"aux/conv": ("auxiliary_head.convs.0.conv", "auxiliary_head.convs.0.bn")}),
    "aux/classifier": "auxiliary_head.conv_seg",
}
OPTIONAL_AUX = {"auxiliary_head.": {"aux": True, "aux_features": 256}}


def resnet50(section: Mapping[str, Any], backbone: Mapping[str, Any], head: Names) -> Reference:
    """Returns a network over its ResNet-50 V1c."""
    return Reference(
        section={**section, "align_corners": False, "backbone": backbone},
        names={**under(RESNET_V1C, here="backbone", there="backbone."), **head, **AUX},
        optional=OPTIONAL_AUX,
    )


def aspp(*, separable: bool) -> Names:
    """Returns the table of its ASPP, which joins the pooled branch first, ours last."""
    atrous = {
        "atrous{i}/depthwise": (
            "aspp_modules.{i}.depthwise_conv.conv",
            "aspp_modules.{i}.depthwise_conv.bn",
        ),
        "atrous{i}/pointwise": (
            "aspp_modules.{i}.pointwise_conv.conv",
            "aspp_modules.{i}.pointwise_conv.bn",
        ),
    }
    if not separable:
        atrous = {"atrous{i}": ("aspp_modules.{i}.conv", "aspp_modules.{i}.bn")}
    return {
        **conv_norm(
            {
                "point": ("aspp_modules.0.conv", "aspp_modules.0.bn"),
                **atrous,
                "pool": ("image_pool.1.conv", "image_pool.1.bn"),
            }
        ),
        "project/conv": Place("bottleneck.conv", parts=(512, -1)),
        "project/norm": "bottleneck.bn",
    }


ASPP_SECTION = {
    "atrous_rates": (12, 24, 36),
    "head_features": 512,
    "project_kernel_size": 3,
}

FCN_R50_D8 = resnet50(
    {"name": "fcn_dilated", "num_convs": 2, "concat_input": True},
    D8,
    {
        **conv_norm(
            {
                "head/conv": ("decode_head.convs.0.conv", "decode_head.convs.0.bn"),
                "head/conv2": ("decode_head.convs.1.conv", "decode_head.convs.1.bn"),
                "head/join": ("decode_head.conv_cat.conv", "decode_head.conv_cat.bn"),
            }
        ),
        "head/classifier": "decode_head.conv_seg",
    },
)
DEEPLABV3_R50_D8 = resnet50(
    {"name": "deeplab_v3", **ASPP_SECTION},
    D8,
    {
        **under(aspp(separable=False), here="head/aspp", there="decode_head."),
        "head/classifier": "decode_head.conv_seg",
    },
)
DEEPLABV3PLUS_R50_D8 = resnet50(
    {"name": "deeplab_v3plus", **ASPP_SECTION},
    D8,
    {
        **under(aspp(separable=True), here="aspp", there="decode_head."),
        **conv_norm(
            {
                "decoder/low_level": (
                    "decode_head.c1_bottleneck.conv",
                    "decode_head.c1_bottleneck.bn",
                ),
                "decoder/conv{i}/depthwise": (
                    "decode_head.sep_bottleneck.{i-1}.depthwise_conv.conv",
                    "decode_head.sep_bottleneck.{i-1}.depthwise_conv.bn",
                ),
                "decoder/conv{i}/pointwise": (
                    "decode_head.sep_bottleneck.{i-1}.pointwise_conv.conv",
                    "decode_head.sep_bottleneck.{i-1}.pointwise_conv.bn",
                ),
            }
        ),
        "classifier": "decode_head.conv_seg",
    },
)


PSP_HEAD = {
    **conv_norm(
        {
            "pyramid/pool{i}": ("psp_modules.{i-1}.1.conv", "psp_modules.{i-1}.1.bn"),
            "project": ("bottleneck.conv", "bottleneck.bn"),
        }
    ),
    "classifier": "conv_seg",
}
_PSP_SECTION = {"head_features": 512, "bin_features": 512}

PSPNET_R50_D8 = resnet50(
    {"name": "pspnet", **_PSP_SECTION}, D8, under(PSP_HEAD, here="head", there="decode_head.")
)

_PARTS = (512, 512, 512)
"""Channels of the three stages, which its JPU joins fine to coarse, ours coarse to fine."""

_JPU = {
    "jpu/conv3/conv": "neck.conv_layers.0.0.conv",
    "jpu/conv3/norm": "neck.conv_layers.0.0.bn",
    "jpu/conv4/conv": "neck.conv_layers.1.0.conv",
    "jpu/conv4/norm": "neck.conv_layers.1.0.bn",
    "jpu/conv5/conv": "neck.conv_layers.2.0.conv",
    "jpu/conv5/norm": "neck.conv_layers.2.0.bn",
    "jpu/branch{i}/depthwise/conv": Place(
        "neck.dilation_layers.{i-1}.0.depthwise_conv.conv", parts=_PARTS
    ),
    "jpu/branch{i}/depthwise/norm": Place(
        "neck.dilation_layers.{i-1}.0.depthwise_conv.bn", parts=_PARTS
    ),
    "jpu/branch{i}/pointwise/conv": Place(
        "neck.dilation_layers.{i-1}.0.pointwise_conv.conv", parts=_PARTS
    ),
    "jpu/branch{i}/pointwise/norm": "neck.dilation_layers.{i-1}.0.pointwise_conv.bn",
}

_ENC_HEAD = {
    **conv_norm(
        {
            "conv": ("bottleneck.conv", "bottleneck.bn"),
            "context/project": (
                "enc_module.encoding_project.conv",
                "enc_module.encoding_project.bn",
            ),
        }
    ),
    "context/encoding": "enc_module.encoding.0",
    "context/norm": "enc_module.encoding.1",
    "context/gate": "enc_module.fc.0",
    "context/presence": "se_layer",
    "classifier": "conv_seg",
}


def _fastfcn(fields: Mapping[str, Any], head: Names) -> Reference:
    return resnet50(
        {"name": "fastfcn", **fields},
        D32_DILATED,
        {**_JPU, **under(head, here="head", there="decode_head.")},
    )


FASTFCN_R50_D32_JPU_PSP = _fastfcn({"head": "psp", **_PSP_SECTION}, PSP_HEAD)
FASTFCN_R50_D32_JPU_ASPP = _fastfcn(
    {"head": "aspp", "refine": False, **ASPP_SECTION},
    {**under(aspp(separable=False), here="aspp"), "classifier": "conv_seg"},
)
FASTFCN_R50_D32_JPU_ENC = _fastfcn(
    {"head": "encnet", "head_features": 512, "encnet_kernel_size": 3}, _ENC_HEAD
)


def _unet() -> Names:
    names: dict[str, str | Place] = {}
    for i in range(5):
        # From the second stage on, a pooling stands in front of the convolutions.
        there = f"backbone.encoder.{i}.{0 if i == 0 else 1}.convs"
        for k in (1, 2):
            names[f"encoder/stage{i + 1}/conv{k}"] = f"{there}.{k - 1}.conv"
            names[f"encoder/stage{i + 1}/norm{k}"] = f"{there}.{k - 1}.bn"
    return names | {
        "decoder/stage{i}/conv{k}": "backbone.decoder.{i-1}.conv_block.convs.{k-1}.conv",
        "decoder/stage{i}/norm{k}": "backbone.decoder.{i-1}.conv_block.convs.{k-1}.bn",
        **conv_norm(
            {
                "decoder/stage{i}_up": (
                    "backbone.decoder.{i-1}.upsample.interp_upsample.1.conv",
                    "backbone.decoder.{i-1}.upsample.interp_upsample.1.bn",
                ),
                "refine": ("decode_head.convs.0.conv", "decode_head.convs.0.bn"),
            }
        ),
        "classifier": "decode_head.conv_seg",
        **AUX,
    }


UNET_S5_D16_FCN = Reference(
    section={
        "name": "unet",
        "upsampling": "bilinear_conv",
        "refine": True,
        "align_corners": False,
    },
    names=_unet(),
    optional={"auxiliary_head.": {"aux": True, "aux_features": 64}},
)
