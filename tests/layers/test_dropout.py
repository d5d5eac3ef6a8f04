"""Masks that follow the rows of the global batch, whatever device holds them."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from seg_jax.layers.dropout import Dropout
from seg_jax.typing import DEVICE_AXIS

X = jnp.ones((8, 6, 5, 4))


def dropped(x, *, rate=0.4, deterministic=False, key=3):
    return Dropout(rate, deterministic).apply({}, x, rngs={"dropout": jax.random.key(key)})


def test_a_share_is_zeroed_and_the_rest_scaled_up():
    y = np.asarray(dropped(jnp.ones((64, 10, 10, 4))))
    assert set(np.unique(y)) == {np.float32(0), np.float32(1) / np.float32(0.6)}
    assert abs((y == 0).mean() - 0.4) < 0.01


def test_rows_have_masks_of_their_own_that_the_key_decides():
    y = np.asarray(dropped(X))
    assert not np.array_equal(y[0], y[1])
    np.testing.assert_array_equal(y, dropped(X))
    assert not np.array_equal(y, dropped(X, key=4))


def test_many_devices_drop_what_one_drops():
    mapped = jax.pmap(dropped, axis_name=DEVICE_AXIS)
    np.testing.assert_array_equal(mapped(X.reshape(4, 2, 6, 5, 4)).reshape(X.shape), dropped(X))


def test_evaluation_and_rate_zero_drop_nothing():
    for options in ({"deterministic": True}, {"rate": 0.0}):
        np.testing.assert_array_equal(partial(dropped, **options)(X), X)
