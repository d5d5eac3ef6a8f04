"""Lovasz-softmax against a loop over sets of pixels and Berman's code."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.labels import IGNORE_LABEL
from seg_jax.losses.lovasz import lovasz_softmax


def jaccard_loss(wrong, true):
    """1 - IoU of a class of which the pixels `wrong` are misjudged, others not."""
    intersection = len(true - wrong)
    return 1 - intersection / len(true | wrong)


def extension(errors, true):
    """The definition (equation 8): errors in falling order times what each adds."""
    total, wrong = 0.0, set()
    for pixel in sorted(errors, key=lambda pixel: -errors[pixel]):
        before = jaccard_loss(wrong, true)
        wrong = wrong | {pixel}
        total += errors[pixel] * (jaccard_loss(wrong, true) - before)
    return total


def test_it_is_the_extension_over_sets_of_pixels(case):
    expected, number = 0.0, 0
    for image in range(2):
        pixels = [p for p in case.pixels if p[0] == image]
        for cls in {case.truth[p] for p in pixels}:
            true = {p for p in pixels if case.truth[p] == cls}
            errors = {p: abs((p in true) - case.shares[p][cls]) for p in pixels}
            expected, number = expected + extension(errors, true), number + 1
    # How large a weight is makes no difference.
    for weights in (case.weights, case.varied):
        actual = lovasz_softmax(case.logits, case.labels, weights)
        np.testing.assert_allclose(actual, (expected, number), rtol=1e-6)


def test_a_class_whose_weight_is_zero_is_not_shown(case):
    weights = jnp.where(case.labels == 2, 0, case.weights)
    ignored = jnp.where(case.labels == 2, jnp.uint8(IGNORE_LABEL), case.labels)
    actual = lovasz_softmax(case.logits, case.labels, weights)
    assert actual[1] == 5
    np.testing.assert_allclose(actual, lovasz_softmax(case.logits, ignored, weights), rtol=1e-6)


def test_value_and_slope_are_those_of_berman(case):
    # LovaszLoss(mode="multiclass", per_image=True) of segmentation_models_pytorch 0.6.0
    value, slope = jax.value_and_grad(lambda x: lovasz_softmax(x, case.labels, case.weights)[0])(
        case.logits
    )
    assert float(value) == pytest.approx(5.41349411, rel=1e-6)
    np.testing.assert_allclose(
        slope[:, 2, 3],
        [[0.000479, -0.016937, 0.012649, 0.003809], [0.006432, 0.002992, -0.015711, 0.006287]],
        atol=1e-6,
    )


def test_a_large_image_loses_no_digits():
    # Slopes against float64; differences of Jaccard losses in float32 are off by 10 %.
    random = np.random.RandomState(0)
    logits = (random.randn(1, 500, 500, 2) * 3).astype(np.float32)
    labels = (random.rand(1, 500, 500) < 0.5).astype(np.uint8)
    weights = jnp.ones(labels.shape)
    slope = jax.grad(lambda x: lovasz_softmax(x, jnp.asarray(labels), weights)[0])(
        jnp.asarray(logits)
    )
    shares = 1 / (1 + np.exp(np.float64(logits[..., 0] - logits[..., 1]))).ravel()
    expected = np.zeros(shares.size)
    for cls, sign in ((1, 1), (0, -1)):
        true = labels.ravel() == cls
        given = shares if cls else 1 - shares
        errors = np.where(true, 1 - given, given)
        order = np.argsort(-errors, kind="stable")
        size, hits = true.sum(), np.cumsum(true[order])
        losses = 1 - (size - hits) / (size + np.arange(1, true.size + 1) - hits)
        rise = np.empty(true.size)
        rise[order] = np.diff(losses, prepend=0)
        expected += sign * np.where(true, -rise, rise)
    expected *= shares * (1 - shares)
    np.testing.assert_allclose(slope[0, :, :, 1].ravel(), expected, rtol=2e-3, atol=1e-10)
