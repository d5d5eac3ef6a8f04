"""Weights of classes for a loss, from how often they occur.

Median frequency balancing: Eigen and Fergus, "Predicting depth, surface normals and semantic
labels with a common multi-scale convolutional architecture" (arXiv:1411.4734),
also used by SegNet (arXiv:1511.00561). ENet's weights: arXiv:1606.02147.
"""

import math
import statistics
from collections.abc import Sequence

from seg_jax.registry import unknown_name

BALANCES = ("median_frequency", "enet")
"""What `config.loss.class_balance` may name, beside "" for no balance."""

ENET_C = 1.02
"""The constant c of ENet, which keeps the weights between 1 and 50."""


def median_frequency(pixels: Sequence[int], around: Sequence[int]) -> list[float | None]:
    """Returns median(freq) / freq of every class, None for a class without a pixel.

    freq is the number of pixels of a class divided by the number of pixels of the images in
    which it is present, void ones included; the median is over the classes that occur.

    Args:
        pixels: pixels of every class.
        around: all pixels of the images in which the class is present.
    """
    frequencies = [n / total if n else None for n, total in zip(pixels, around, strict=True)]
    present = [frequency for frequency in frequencies if frequency is not None]
    if not present:
        return frequencies
    median = statistics.median(present)
    return [None if frequency is None else median / frequency for frequency in frequencies]


def enet(pixels: Sequence[int]) -> list[float | None]:
    """Returns 1 / ln(1.02 + p) of every class, p its share of the counted pixels.

    None where no pixel counts; an absent class gets the largest weight, 50.5.
    """
    total = sum(pixels)
    if not total:
        return [None] * len(pixels)
    return [1 / math.log(ENET_C + n / total) for n in pixels]


def balance_classes(
    balance: str, pixels: Sequence[int], around: Sequence[int]
) -> tuple[float, ...]:
    """Returns the weights that `config.loss.class_balance` names, one a class.

    A class without a pixel gets 1: no pixel of the split is weighed by it, and a loss that
    asked for the weight of a label from elsewhere should not make it the rarest of all.

    Args:
        balance: "median_frequency" or "enet".
        pixels: pixels of every class.
        around: all pixels of the images in which the class is present.

    Raises:
        UnknownNameError: there is no such rule.
    """
    if balance not in BALANCES:
        raise unknown_name(
            balance, BALANCES, kind="class balance", field="config.loss.class_balance"
        )
    weights = median_frequency(pixels, around) if balance == "median_frequency" else enet(pixels)
    return tuple(
        weight if weight is not None and count else 1.0
        for weight, count in zip(weights, pixels, strict=True)
    )
