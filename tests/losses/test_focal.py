"""The focal loss against a loop, MONAI and cross-entropy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.losses.cross_entropy import softmax_cross_entropy
from seg_jax.losses.focal import focal


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_it_is_a_loop_over_pixels(case, gamma):
    expected = 0.0
    for p in case.pixels:
        share = case.shares[p][case.truth[p]]
        expected -= case.worth[p] * (1 - share) ** gamma * np.log(share)
    total, weight = focal(case.logits, case.labels, case.varied, gamma=gamma)
    np.testing.assert_allclose(total, expected, rtol=1e-5)
    assert weight == case.varied.sum()


def test_it_is_that_of_monai_and_without_gamma_cross_entropy(case):
    # monai.losses.FocalLoss(use_softmax=True) of MONAI 1.6.1
    for gamma, expected in ((2.0, 103.379395), (0.5, 116.222061)):
        total, _ = focal(case.logits, case.labels, case.weights, gamma=gamma)
        assert float(total) == pytest.approx(expected, rel=1e-6)
    one = focal(case.logits, case.labels, case.weights, gamma=0.0)
    other = softmax_cross_entropy(case.logits, case.labels, case.weights)
    np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("score", [0.0, 8.0, 30.0, 200.0])
def test_sure_pixels_have_exact_values_and_finite_slopes(gamma, score):
    def loss(logits):
        return focal(logits, jnp.zeros((1, 1, 1), jnp.uint8), jnp.ones((1, 1, 1)), gamma=gamma)[0]

    value, slope = jax.value_and_grad(loss)(jnp.float32([[[[score, 0.0]]]]))
    wrong = np.exp(-score) / (1 + np.exp(-score))
    expected = wrong**gamma * np.log1p(np.exp(-score))
    assert float(value) == pytest.approx(expected, rel=5e-3, abs=1e-9)
    assert np.isfinite(slope).all()
