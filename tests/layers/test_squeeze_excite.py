"""Squeeze-and-excitation against its definition."""

import jax
import jax.numpy as jnp
import numpy as np

from seg_jax.layers.squeeze_excite import SqueezeExcite


def test_the_gate_is_a_hard_sigmoid_of_two_products():
    random = np.random.RandomState(0)
    x = random.randn(2, 3, 4, 5).astype(np.float32)
    layer = SqueezeExcite(2)
    params = layer.init(jax.random.key(0), jnp.asarray(x))["params"]
    params = jax.tree.map(
        lambda leaf: jnp.asarray(4 * random.randn(*leaf.shape), leaf.dtype), params
    )
    reduce, expand = (
        (np.asarray(params[name]["kernel"])[0, 0], np.asarray(params[name]["bias"]))
        for name in ("reduce", "expand")
    )
    hidden = np.maximum(x.mean((1, 2)) @ reduce[0] + reduce[1], 0)
    gate = np.clip(hidden @ expand[0] + expand[1] + 3, 0, 6) / 6
    assert gate.min() == 0
    assert np.median(gate) > 0
    actual = layer.apply({"params": params}, jnp.asarray(x))
    np.testing.assert_allclose(actual, x * gate[:, None, None, :], atol=1e-5)
