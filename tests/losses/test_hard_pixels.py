"""Which pixels are kept, against plain loops and mmsegmentation's sampler."""

import math

import numpy as np
import pytest

from seg_jax.losses.hard_pixels import ohem_cross_entropy, top_k_cross_entropy


def loop(case, keep):
    """Sums the pixels that `keep` picks from an image's [(position, nats, weight)]."""
    total = weight = 0.0
    for image in range(2):
        pixels = [
            (p, -np.log(case.shares[p][case.truth[p]]), case.worth[p])
            for p in case.pixels
            if p[0] == image
        ]
        for _, nats, one in keep(pixels):
            total, weight = total + one * nats, weight + one
    return total, weight


@pytest.mark.parametrize("min_kept", [0, 1, 10, 20, 21, 35, 100_000])
@pytest.mark.parametrize("threshold", [1e-6, 0.01, 0.2, 0.7, 1.0])
def test_ohem_keeps_what_lies_below_the_threshold_or_is_among_the_hardest(
    case, threshold, min_kept
):
    def keep(pixels):
        pixels = sorted(pixels, key=lambda pixel: -pixel[1])
        hard = sum(math.exp(-nats) < threshold for _, nats, _ in pixels)
        return pixels[: max(hard, min_kept)]

    actual = ohem_cross_entropy(
        case.logits, case.labels, case.varied, threshold=threshold, min_kept=min_kept
    )
    np.testing.assert_allclose(actual, loop(case, keep), rtol=1e-5)


@pytest.mark.parametrize(
    ("threshold", "min_kept", "expected"),
    [(0.2, 10, (45.4064674 + 56.6629906, 29)), (0.7, 3, (54.5469894 + 66.7000504, 47))],
)
def test_ohem_keeps_the_pixels_of_mmsegmentation(case, threshold, min_kept, expected):
    # Its OHEMPixelSampler run on one image at a time.
    actual = ohem_cross_entropy(
        case.logits, case.labels, case.weights, threshold=threshold, min_kept=min_kept
    )
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.25, 0.5, 1.0])
def test_top_k_keeps_a_share_of_the_pixels_of_each_image_that_count(case, share):
    def keep(pixels):
        pixels = sorted(pixels, key=lambda pixel: -pixel[1] * pixel[2])
        return pixels[: math.ceil(share * len(pixels))]

    actual = top_k_cross_entropy(case.logits, case.labels, case.varied, share=share)
    np.testing.assert_allclose(actual, loop(case, keep), rtol=1e-5)
