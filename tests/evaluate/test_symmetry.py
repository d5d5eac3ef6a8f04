"""The codes are the eight symmetries of the square, and each is undone exactly."""

import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.evaluate.symmetry import TRANSPOSED, turn, undo

X = np.arange(2 * 3 * 4 * 2).reshape(2, 3, 4, 2)
CODES = {
    0: X,
    1: X[:, :, ::-1],
    2: X[:, ::-1],
    3: np.rot90(X, 2, axes=(1, 2)),
    4: X.swapaxes(1, 2),
    5: np.rot90(X, -1, axes=(1, 2)),
    6: np.rot90(X, 1, axes=(1, 2)),
    7: np.rot90(X, 2, axes=(1, 2)).swapaxes(1, 2),
}


@pytest.mark.parametrize("code", range(8))
def test_each_code_is_its_symmetry(code):
    codes, transposed = jnp.full(2, code, jnp.int32), code >= TRANSPOSED
    turned = turn(jnp.asarray(X), codes, transposed=transposed)
    np.testing.assert_array_equal(turned, CODES[code])
    np.testing.assert_array_equal(undo(turned, codes, transposed=transposed), X)


def test_rows_may_be_turned_differently():
    codes = jnp.array([1, 2], jnp.int32)
    turned = turn(jnp.asarray(X), codes, transposed=False)
    np.testing.assert_array_equal(turned[0], X[0, :, ::-1])
    np.testing.assert_array_equal(turned[1], X[1, ::-1])
