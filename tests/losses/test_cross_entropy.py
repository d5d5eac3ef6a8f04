"""Cross-entropy against a plain loop and PyTorch; what is ignored counts nowhere."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.labels import IGNORE_LABEL
from seg_jax.losses.cross_entropy import softmax_cross_entropy


def test_sum_and_weight_equal_a_loop_over_pixels(case):
    expected = -sum(case.worth[p] * np.log(case.shares[p][case.truth[p]]) for p in case.pixels)
    total, weight = softmax_cross_entropy(case.logits, case.labels, case.varied)
    np.testing.assert_allclose(total, expected, rtol=1e-6)
    assert weight == case.varied.sum()
    assert len(case.pixels) == 56
    # torch.nn.functional.cross_entropy(ignore_index=255) of PyTorch 2.13
    total, weight = softmax_cross_entropy(case.logits, case.labels, case.weights)
    assert float(total / weight) == pytest.approx(2.18868017, rel=1e-6)


def test_class_weights_and_smoothing_are_those_of_pytorch(case):
    table = np.pad(np.float32([0.5, 1, 2, 4]), (0, 252))
    total, weight = softmax_cross_entropy(case.logits, case.labels, jnp.asarray(table)[case.labels])
    assert float(total / weight) == pytest.approx(2.18952084, rel=1e-6)

    def smoothed(logits):
        total, weight = softmax_cross_entropy(
            logits, case.labels, case.weights, label_smoothing=0.1
        )
        return total / weight

    value, slope = jax.value_and_grad(smoothed)(case.logits)
    assert float(value) == pytest.approx(2.20963478, rel=1e-6)
    np.testing.assert_allclose(
        slope[:, 2, 3],
        [[-0.000023, -0.013632, 0.010734, 0.002920], [0.002493, 0.000934, -0.006148, 0.002721]],
        atol=1e-6,
    )


def test_a_sum_weighs_nothing(case):
    total, weight = softmax_cross_entropy(case.logits, case.labels, case.weights, reduction="sum")
    assert float(total) == pytest.approx(122.566086, rel=1e-6)
    assert weight == 0


def test_ignored_pixels_have_no_gradient():
    logits = jax.random.normal(jax.random.key(0), (1, 2, 2, 3))
    labels = jnp.array([[[0, IGNORE_LABEL], [2, 1]]], jnp.uint8)
    weights = jnp.array([[[1.0, 0.0], [1.0, 1.0]]])
    grad = jax.grad(lambda x: softmax_cross_entropy(x, labels, weights, label_smoothing=0.1)[0])(
        logits
    )
    assert not grad[0, 0, 1].any()
    assert grad[0, 0, 0].any()
