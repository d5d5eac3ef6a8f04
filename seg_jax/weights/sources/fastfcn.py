"""wuhuikai/FastFCN, which descends from PyTorch-Encoding.

Its state dicts hold the ImageNet classifier of the backbone, which the networks do not use.
"""

from collections.abc import Mapping
from typing import Any

from seg_jax.weights.names import Names, conv_norm, under
from seg_jax.weights.sources.backbones import RESNET_DEEP_STEM
from seg_jax.weights.sources.reference import Reference

_BACKBONE = {"name": "resnet50", "stem": "3x3", "stem_width": 128}

JPU = conv_norm(
    {
        "conv{i}": ("conv{i}.0", "conv{i}.1"),
        "branch{i}/depthwise": ("dilation{i}.0.conv1", "dilation{i}.0.bn"),
        "branch{i}/pointwise": ("dilation{i}.0.pointwise", "dilation{i}.1"),
    }
)

_FCN_HEAD = {**conv_norm({"conv": ("conv5.0", "conv5.1")}), "classifier": "conv5.4"}

_DEEPLAB_HEAD = {
    **conv_norm(
        {
            "aspp/point": ("aspp.b0.0", "aspp.b0.1"),
            "aspp/atrous{i}": ("aspp.b{i}.0", "aspp.b{i}.1"),
            "aspp/pool": ("aspp.b4.gap.1", "aspp.b4.gap.2"),
            "aspp/project": ("aspp.project.0", "aspp.project.1"),
            "refine": ("block.0", "block.1"),
        }
    ),
    "classifier": "block.4",
}


PSP_HEAD = {
    **conv_norm(
        {
            "pyramid/pool{i}": ("conv5.0.conv{i}.0", "conv5.0.conv{i}.1"),
            "project": ("conv5.1", "conv5.2"),
        }
    ),
    "classifier": "conv5.5",
}

_ENCNET_HEAD = {
    **conv_norm(
        {
            "conv": ("conv5.0", "conv5.1"),
            "lateral{i}": ("connect.{i-1}.0", "connect.{i-1}.1"),
            "fusion": ("fusion.0", "fusion.1"),
            "context/project": ("encmodule.encoding.0", "encmodule.encoding.1"),
        }
    ),
    "context/encoding": "encmodule.encoding.3",
    "context/norm": "encmodule.encoding.4",
    "context/gate": "encmodule.fc.0",
    "context/presence": "encmodule.selayer",
    "classifier": "conv6.1",
}

_OPTIONAL = {"auxlayer.": {"aux": True, "aux_features": 256}}
_OPTIONAL_ENCNET = {
    **_OPTIONAL,
    "head.encmodule.selayer.": {"presence": True},
}


def _resnet50(
    section: Mapping[str, Any],
    head: Names,
    *,
    optional: Mapping[str, Mapping[str, Any]] = _OPTIONAL,
    output_stride: int = 8,
) -> Reference:
    backbone = {**_BACKBONE, "output_stride": output_stride}
    return Reference(
        section={"align_corners": True, "backbone": backbone, **section},
        names={
            **under(RESNET_DEEP_STEM, here="backbone", there="pretrained."),
            **under(JPU, here="jpu", there="jpu."),
            **under(head, here="head", there="head."),
            **under(_FCN_HEAD, here="aux", there="auxlayer."),
        },
        optional=optional,
        dropped=("pretrained.fc.",),
    )


def _jpu_resnet50(fields: Mapping[str, Any], head: Names, **options: Any) -> Reference:
    return _resnet50({"name": "fastfcn", **fields}, head, output_stride=32, **options)


_ASPP = {"head_features": 256, "atrous_rates": (12, 24, 36), "refine": True}
_ENCNET = {"head_features": 512, "presence": False}

FCN_JPU_RESNET50 = _jpu_resnet50({"head": "fcn", "head_features": 512}, _FCN_HEAD)
PSP_JPU_RESNET50 = _jpu_resnet50({"head": "psp", "head_features": 512}, PSP_HEAD)
DEEPLAB_JPU_RESNET50 = _jpu_resnet50({"head": "aspp", **_ASPP}, _DEEPLAB_HEAD)
ENCNET_JPU_RESNET50 = _jpu_resnet50(
    {"head": "encnet", **_ENCNET}, _ENCNET_HEAD, optional=_OPTIONAL_ENCNET
)
FCN_RESNET50 = _resnet50({"name": "fcn_dilated", "head_features": 512}, _FCN_HEAD)
PSP_RESNET50 = _resnet50({"name": "pspnet", "head_features": 512}, PSP_HEAD)
DEEPLAB_RESNET50 = _resnet50({"name": "deeplab_v3", **_ASPP}, _DEEPLAB_HEAD)
ENCNET_RESNET50 = _resnet50(
    {"name": "encnet", **_ENCNET},
    _ENCNET_HEAD,
    optional={**_OPTIONAL_ENCNET, "head.connect.": {"lateral": True}},
)
