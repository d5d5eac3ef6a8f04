"""Networks of torchvision.models.segmentation, trained on COCO images with the classes of VOC."""

from collections.abc import Mapping
from typing import Any

from seg_jax.weights.names import Names, conv_norm, under
from seg_jax.weights.sources.backbones import RESNET
from seg_jax.weights.sources.reference import Reference

FCN_HEAD = {**conv_norm({"conv": ("0", "1")}), "classifier": "4"}

ASPP = conv_norm(
    {
        "point": ("convs.0.0", "convs.0.1"),
        "atrous{i}": ("convs.{i}.0", "convs.{i}.1"),
        "pool": ("convs.4.1", "convs.4.2"),
        "project": ("project.0", "project.1"),
    }
)
"""Also of segmentation-models-pytorch, whose code descends from it."""

DEEPLAB_HEAD = {
    **under(ASPP, here="aspp", there="0."),
    **conv_norm({"refine": ("1", "2")}),
    "classifier": "4",
}
AUX = under(FCN_HEAD, here="aux", there="aux_classifier.")


def _resnet(name: str, model: Mapping[str, Any], head: Names) -> Reference:
    return Reference(
        section={
            **model,
            "align_corners": False,
            "backbone": {"name": name, "output_stride": 8},
        },
        names={
            **under(RESNET, here="backbone", there="backbone."),
            **under(head, here="head", there="classifier."),
            **AUX,
        },
        optional={"aux_classifier.": {"aux": True, "aux_features": 256}},
    )


_FCN = {"name": "fcn_dilated", "head_features": 512}
DEEPLAB = {
    "name": "deeplab_v3",
    "atrous_rates": (12, 24, 36),
    "head_features": 256,
    "refine": True,
    "dropout_rate": 0.5,
}

FCN_RESNET50 = _resnet("resnet50", _FCN, FCN_HEAD)
FCN_RESNET101 = _resnet("resnet101", _FCN, FCN_HEAD)
DEEPLABV3_RESNET50 = _resnet("resnet50", DEEPLAB, DEEPLAB_HEAD)
DEEPLABV3_RESNET101 = _resnet("resnet101", DEEPLAB, DEEPLAB_HEAD)
