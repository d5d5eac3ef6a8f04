"""Pooling that remembers, against loops over 2x2 blocks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.layers.unpool import max_pool_indices, max_unpool


@pytest.mark.parametrize("size", [(4, 6), (5, 3), (1, 1)])
def test_values_return_to_where_the_maxima_stood(size):
    random = np.random.RandomState(0)
    x = random.randn(2, *size, 3).astype(np.float32)
    pooled, mask = max_pool_indices(jnp.asarray(x))
    values = random.randn(*pooled.shape).astype(np.float32)
    unpooled = max_unpool(jnp.asarray(values), mask, size)
    expected = np.zeros_like(x)
    for b, i, j, c in np.ndindex(pooled.shape):
        block = x[b, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, c]
        row, column = np.unravel_index(block.argmax(), block.shape)
        assert pooled[b, i, j, c] == block.max()
        expected[b, 2 * i + row, 2 * j + column, c] = values[b, i, j, c]
    np.testing.assert_array_equal(unpooled, expected)


def test_of_equal_values_the_first_is_the_maximum():
    _, mask = max_pool_indices(jnp.zeros((1, 2, 2, 1)))
    np.testing.assert_array_equal(mask[0, 0, 0, :, 0], [1, 0, 0, 0])


def test_the_gradient_goes_to_the_maximum():
    x = jnp.asarray(np.random.RandomState(0).randn(1, 4, 4, 2), jnp.float32)
    gradient = jax.grad(lambda x: max_pool_indices(x)[0].sum())(x)
    assert float(gradient.sum()) == 8
    assert set(np.unique(gradient)) == {0.0, 1.0}
