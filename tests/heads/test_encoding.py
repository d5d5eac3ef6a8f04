"""The context encoding against loops over cells and codewords."""

import jax.numpy as jnp
import numpy as np

from seg_jax.heads.encoding import Encoding


def test_residuals_are_weighed_by_their_scaled_distance(image, draw_params, run):
    x = image((2, 3, 4, 5))
    layer = Encoding(3)
    params = draw_params(layer, jnp.asarray(x))
    params["scale"] = -jnp.abs(params["scale"])
    codewords, scale = np.float64(params["codewords"]), np.float64(params["scale"])
    expected = np.zeros((2, 3, 5))
    for b in range(2):
        for cell in np.float64(x[b]).reshape(-1, 5):
            residuals = cell - codewords
            weights = np.exp(scale * (residuals**2).sum(1))
            expected[b] += (weights / weights.sum())[:, None] * residuals
    actual = run(layer, params, jnp.asarray(x))
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)
