"""Initial kernels have the variance that their names promise."""

import jax
import jax.numpy as jnp
import numpy as np

from seg_jax.layers.init import he_normal, normal


def test_he_normal_has_variance_two_over_fan_in():
    kernel = he_normal(jax.random.key(0), (3, 3, 64, 128))
    np.testing.assert_allclose(kernel.std(), np.sqrt(2 / (9 * 64)), rtol=0.02)
    np.testing.assert_allclose(kernel.mean(), 0, atol=1e-3)
    assert float(jnp.abs(kernel).max()) > 3 * float(kernel.std())  # not truncated


def test_normal_has_the_given_deviation():
    kernel = normal(0.01)(jax.random.key(0), (64, 128))
    np.testing.assert_allclose(kernel.std(), 0.01, rtol=0.05)
