"""Dice, Jaccard and Tversky against a loop, segmentation_models_pytorch and MONAI."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.losses.region import dice, jaccard, tversky

COSTS = {dice: (0.5, 0.5), jaccard: (1.0, 1.0), tversky: (0.2, 0.9)}


def loop(case, alpha, beta, smooth):
    total, number = 0.0, 0
    for image in range(2):
        pixels = [p for p in case.pixels if p[0] == image]
        for cls in {case.truth[p] for p in pixels}:
            hit = sum(case.worth[p] * case.shares[p][cls] for p in pixels if case.truth[p] == cls)
            extra = sum(case.worth[p] * case.shares[p][cls] for p in pixels if case.truth[p] != cls)
            size = sum(case.worth[p] for p in pixels if case.truth[p] == cls)
            below = hit + alpha * extra + beta * (size - hit) + smooth
            total, number = total + 1 - (hit + smooth) / below, number + 1
    return total, number


@pytest.mark.parametrize("loss", COSTS, ids=lambda loss: loss.__name__)
@pytest.mark.parametrize("smooth", [0.0, 4.0])
def test_overlaps_are_those_of_a_loop_over_pixels(case, loss, smooth):
    alpha, beta = COSTS[loss]
    options = {"alpha": alpha, "beta": beta} if loss is tversky else {}
    actual = loss(case.logits, case.labels, case.varied, smooth=smooth, **options)
    halved = smooth / 2 if loss is dice else smooth
    expected = loop(case, alpha, beta, halved)
    assert expected[1] == 7
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


# segmentation_models_pytorch 0.6.0, mode="multiclass", on the classes and pixels of one image at
# a time; without `smooth` also MONAI 1.6.1. Dice with it is MONAI's smooth_nr = smooth_dr = 3,
# and 1.5 there, where it is added to the intersection and not to twice that.
PEERS = [
    (dice, 0.0, 4.97580719, [-0.024706, 0.018959, -0.021074]),
    (dice, 3.0, 4.02972889, [-0.019718, 0.014616, -0.018122]),
    (jaccard, 0.0, 5.77634192, [-0.013590, 0.010611, -0.017145]),
    (jaccard, 3.0, 4.55689144, [-0.013016, 0.009583, -0.015299]),
    (tversky, 0.0, 5.05225134, [-0.025046, 0.018090, -0.021404]),
    (tversky, 3.0, 3.47043157, [-0.016045, 0.010985, -0.016406]),
]


@pytest.mark.parametrize(("loss", "smooth", "expected", "slopes"), PEERS)
def test_values_and_slopes_are_those_of_published_codes(case, loss, smooth, expected, slopes):
    value, slope = jax.value_and_grad(
        lambda x: loss(x, case.labels, case.weights, smooth=smooth)[0]
    )(case.logits)
    assert float(value) == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(
        [slope[0, 2, 3, 1], slope[0, 2, 3, 2], slope[1, 2, 3, 2]], slopes, atol=1e-6
    )


def test_a_class_whose_weight_is_zero_is_not_shown(case):
    weights = jnp.where(case.labels == 2, 0, case.weights)
    assert dice(case.logits, case.labels, weights)[1] == 5
