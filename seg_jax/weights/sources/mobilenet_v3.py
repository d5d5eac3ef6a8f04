"""Where torchvision keeps MobileNetV3, and its segmentation networks over it."""

from collections.abc import Mapping, Sequence

from seg_jax.weights.names import Names, conv_norm, under
from seg_jax.weights.sources import torchvision
from seg_jax.weights.sources.reference import Reference


def _mobilenet_v3(expands: Sequence[bool], gates: Sequence[bool]) -> Names:
    """Returns the table under its indices in `features`.

    Args:
        expands: whether each block has an expansion.
        gates: whether each block has a squeeze-and-excitation.
    """
    pairs: dict[str, tuple[str, str]] = {"stem": ("0.0", "0.1")}
    names: dict[str, str] = {}
    for i, (expand, gate) in enumerate(zip(expands, gates, strict=True), start=1):
        layers = ["expand"] * expand + ["depthwise"] + ["gate"] * gate + ["project"]
        for k, layer in enumerate(layers):
            there = f"{i}.block.{k}"
            if layer == "gate":
                names[f"block{i}/squeeze_excite/reduce"] = f"{there}.fc1"
                names[f"block{i}/squeeze_excite/expand"] = f"{there}.fc2"
            else:
                pairs[f"block{i}/{layer}"] = (f"{there}.0", f"{there}.1")
    last = len(expands) + 1
    pairs["last"] = (f"{last}.0", f"{last}.1")
    return {**conv_norm(pairs), **names}


def _members(count: int, members: set[int]) -> list[bool]:
    return [i in members for i in range(1, count + 1)]


LARGE = _mobilenet_v3(_members(15, set(range(2, 16))), _members(15, {4, 5, 6, 11, 12, 13, 14, 15}))
SMALL = _mobilenet_v3(_members(11, set(range(2, 12))), _members(11, {1, *range(4, 12)}))

_BACKBONE: Mapping[str, object] = {
    "name": "mobilenet_v3_large",
    "output_stride": 16,
    "entry_keeps_rate": False,
}
_EPSILONS = {"backbone": 1e-3}

DEEPLABV3_MOBILENET_V3_LARGE = Reference(
    section={
        **torchvision.DEEPLAB,
        "align_corners": False,
        "backbone": _BACKBONE,
    },
    names={
        **under(LARGE, here="backbone", there="backbone."),
        **under(torchvision.DEEPLAB_HEAD, here="head", there="classifier."),
        **torchvision.AUX,
    },
    # A quarter of the 40 channels of the first block at stride 8.
    optional={"aux_classifier.": {"aux": True, "aux_stage": 4, "aux_features": 10}},
    epsilons=_EPSILONS,
)
LRASPP_MOBILENET_V3_LARGE = Reference(
    section={"name": "lraspp", "low_level_stage": 4, "backbone": _BACKBONE},
    names={
        **under(LARGE, here="backbone", there="backbone."),
        **conv_norm({"head/conv": ("classifier.cbr.0", "classifier.cbr.1")}),
        "head/gate": "classifier.scale.1",
        "head/low_classifier": "classifier.low_classifier",
        "head/high_classifier": "classifier.high_classifier",
    },
    epsilons=_EPSILONS,
)
