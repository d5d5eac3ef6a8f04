"""Turns a requested output stride into the stride and atrous rates of each stage."""

from collections.abc import Sequence
from typing import NamedTuple


class Stage(NamedTuple):
    """How one stage samples its input.

    Attributes:
        stride: stride of the strided layer of the stage.
        entry_rate: rate of that layer, which still sees the grid of the stage before.
        rate: rate of every layer after it.
    """

    stride: int
    entry_rate: int
    rate: int


def plan_stages(nominal: Sequence[int], output_stride: int, *, stem_stride: int) -> list[Stage]:
    """Trades stride for atrous rate so that features keep `output_stride`.

    Once the running stride reaches `output_stride`, every later stride is removed and the
    rate of all that follows is multiplied by it: same weights, same receptive field, denser
    samples (Chen et al. 2017, arXiv:1706.05587, section 3.1).

    Args:
        nominal: stride of each stage as designed, e.g. (1, 2, 2, 2) for ResNet.
        output_stride: pixels of the image per feature cell at the end.
        stem_stride: stride already spent before the first stage.

    Raises:
        ValueError: `output_stride` cannot be reached from the nominal strides.

    >>> [tuple(stage) for stage in plan_stages((1, 2, 2, 2), output_stride=8, stem_stride=4)]
    [(1, 1, 1), (2, 1, 1), (1, 1, 2), (1, 2, 4)]
    """
    reachable = [stem_stride]
    for stride in nominal:
        if stride != 1:
            reachable.append(reachable[-1] * stride)
    if output_stride not in reachable:
        raise ValueError(
            f"output_stride={output_stride} cannot be reached: a stem of stride {stem_stride} "
            f"and stages of stride {tuple(nominal)} allow {reachable}. "
            f"Set config.model.backbone.output_stride to one of these."
        )
    plan, current, rate = [], stem_stride, 1
    for stride in nominal:
        if current * stride <= output_stride:
            current *= stride
            plan.append(Stage(stride, rate, rate))
        else:
            plan.append(Stage(1, rate, rate * stride))
            rate *= stride
    return plan
