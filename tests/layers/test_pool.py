"""Max pooling against a plain loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.layers.pool import max_pool


@pytest.mark.parametrize(
    ("window", "stride", "padding", "rate", "shape"),
    [
        (2, 2, 0, 1, (3, 4)),
        (2, 2, (0, 1), 1, (4, 4)),
        (3, 2, 1, 1, (4, 4)),
        (2, 1, (0, 2), 2, (7, 8)),
        (3, 1, 2, 2, (7, 8)),
    ],
)
def test_it_is_the_plain_loop(window, stride, padding, rate, shape):
    # All values are negative: a padding of zeros would win.
    x = -1 - np.random.RandomState(0).rand(2, 7, 8, 3).astype(np.float32)
    before, after = (padding, padding) if isinstance(padding, int) else padding
    padded = np.pad(x, ((0, 0), (before, after), (before, after), (0, 0)), constant_values=-np.inf)
    span = rate * (window - 1) + 1
    expected = [
        [
            padded[:, i : i + span : rate, j : j + span : rate].max((1, 2))
            for j in range(0, padded.shape[2] - span + 1, stride)
        ]
        for i in range(0, padded.shape[1] - span + 1, stride)
    ]
    actual = max_pool(jnp.asarray(x), window, stride, padding, rate=rate)
    assert actual.shape[1:3] == shape
    np.testing.assert_array_equal(actual, np.array(expected).transpose(2, 0, 1, 3))


def test_gradient_goes_to_the_maximum_at_any_rate():
    x = jnp.asarray(np.random.RandomState(0).permutation(49).reshape(1, 7, 7, 1), jnp.float32)
    for rate in (1, 2):
        pool = jax.jit(lambda x, rate=rate: max_pool(x, 3, 1, rate, rate=rate))
        gradient = jax.grad(lambda x, pool=pool: pool(x).sum())(x)
        wins = [np.count_nonzero(pool(x) == value) for value in x.ravel()]
        np.testing.assert_array_equal(gradient.ravel(), wins)
