"""kazuto1011/deeplab-pytorch: DeepLab over Caffe's ResNet-101; v2 carries the authors' weights.

These networks return scores at the resolution of the head, except v3+. Their normalisation
is that of the Caffe release, whatever the version.
"""

from collections.abc import Mapping
from typing import Any

from seg_jax.weights.names import Names, conv_norm, under
from seg_jax.weights.sources.backbones import RESNET_CAFFE
from seg_jax.weights.sources.pytorch_fcn import CAFFE
from seg_jax.weights.sources.reference import Reference

_BACKBONE = {"name": "resnet101", "stride_on": "1x1", "ceil_pool": True, "output_stride": 8}
_ATROUS = {**_BACKBONE, "output_stride": 16, "multi_grid": (1, 2, 4)}

_ASPP = conv_norm(
    {
        "point": ("aspp.stages.c0.conv", "aspp.stages.c0.bn"),
        "atrous{i}": ("aspp.stages.c{i}.conv", "aspp.stages.c{i}.bn"),
        "pool": ("aspp.stages.imagepool.conv.conv", "aspp.stages.imagepool.conv.bn"),
        "project": ("fc1.conv", "fc1.bn"),
    }
)


def _resnet101(
    section: Mapping[str, Any], head: Names, *, backbone: Mapping[str, Any], prefix: str = ""
) -> Reference:
    names = under({**under(RESNET_CAFFE, here="backbone"), **head}, there=prefix)
    return Reference({**section, "align_corners": False, "backbone": backbone}, names, CAFFE)


_V2 = {"name": "deeplab_v2"}
_V2_HEAD = {"head/classifier{i}": "aspp.c{i-1}"}

DEEPLABV1_RESNET101 = _resnet101(
    {"name": "deeplab_v1", "fc_features": None}, {"classifier": "fc"}, backbone=_BACKBONE
)
DEEPLABV2_RESNET101 = _resnet101(_V2, _V2_HEAD, backbone=_BACKBONE)
DEEPLABV2_RESNET101_MSC = _resnet101(
    {**_V2, "scales": (0.5, 0.75)}, _V2_HEAD, backbone=_BACKBONE, prefix="base."
)
DEEPLABV3_RESNET101 = _resnet101(
    {"name": "deeplab_v3"},
    {**under(_ASPP, here="head/aspp"), "head/classifier": "fc2"},
    backbone=_ATROUS,
)
DEEPLABV3PLUS_RESNET101 = _resnet101(
    {"name": "deeplab_v3plus", "separable": False},
    {
        **under(_ASPP, here="aspp"),
        **conv_norm(
            {
                "decoder/low_level": ("reduce.conv", "reduce.bn"),
                "decoder/conv{i}": ("fc2.conv{i}.conv", "fc2.conv{i}.bn"),
            }
        ),
        "classifier": "fc2.conv3",
    },
    backbone=_ATROUS,
)
