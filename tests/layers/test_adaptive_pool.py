"""Adaptive average pooling against the rule that PyTorch states."""

import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.layers.adaptive_pool import pool_adaptive


@pytest.mark.parametrize("bins", [1, 2, 3, 6])
@pytest.mark.parametrize("size", [(6, 12), (7, 5), (2, 1)])
def test_a_bin_covers_floor_to_ceil(bins, size):
    x = np.random.RandomState(0).randn(2, *size, 3).astype(np.float32)
    expected = np.zeros((2, bins, bins, 3))
    for i, j in np.ndindex(bins, bins):
        rows = slice(i * size[0] // bins, -(-(i + 1) * size[0] // bins))
        columns = slice(j * size[1] // bins, -(-(j + 1) * size[1] // bins))
        expected[:, i, j] = x[:, rows, columns].mean((1, 2))
    np.testing.assert_allclose(pool_adaptive(jnp.asarray(x), bins), expected, atol=1e-6)
