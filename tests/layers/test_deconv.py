"""The up-convolution against XLA's transposed convolution."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from seg_jax.layers.deconv import UpConv


def test_it_is_a_transposed_convolution():
    x = jnp.asarray(np.random.RandomState(0).randn(2, 3, 5, 4), jnp.float32)
    layer = UpConv(6)
    variables = layer.init(jax.random.key(0), x)
    variables["params"]["bias"] = jnp.arange(6.0)
    kernel = variables["params"]["kernel"]
    assert kernel.shape == (2, 2, 4, 6)
    expected = lax.conv_general_dilated(
        x,
        kernel[::-1, ::-1],
        window_strides=(1, 1),
        padding=[(1, 1), (1, 1)],
        lhs_dilation=(2, 2),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    bias = jnp.arange(6.0).reshape(1, 1, 1, 6)
    np.testing.assert_allclose(layer.apply(variables, x), expected + bias, atol=1e-5)


def test_its_variance_is_that_of_the_taps_it_sees():
    x = jnp.asarray(np.random.RandomState(0).randn(1, 16, 16, 256), jnp.float32)
    y, _ = UpConv(64).init_with_output(jax.random.key(0), x)
    np.testing.assert_allclose(float(y.std()), np.sqrt(2), rtol=0.05)
