"""Upsampling layers against transposed convolutions and interpolation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from seg_jax.layers.deconv import BilinearUpConv, UpConv
from seg_jax.layers.resize import resize_bilinear


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


def test_a_wide_kernel_lets_neighbours_overlap():
    random = np.random.RandomState(0)
    x, kernel = random.randn(2, 3, 4, 2), random.randn(8, 8, 2, 3)
    expected = np.zeros((2, 16, 20, 3))
    for i in range(3):
        for j in range(4):
            cell = np.einsum("bc,pqcf->bpqf", x[:, i, j], kernel)
            expected[:, 4 * i : 4 * i + 8, 4 * j : 4 * j + 8] += cell
    params = {"kernel": jnp.asarray(kernel, jnp.float32)}
    layer = BilinearUpConv(3, factor=4, learned=True)
    actual = layer.apply({"params": params}, jnp.asarray(x, jnp.float32))
    np.testing.assert_allclose(actual, expected, atol=1e-5)


@pytest.mark.parametrize("factor", [2, 8])
def test_it_starts_as_interpolation(factor):
    x = jnp.asarray(np.random.RandomState(0).randn(1, 4, 5, 2), jnp.float32)
    y, _ = BilinearUpConv(2, factor, learned=False).init_with_output(jax.random.key(0), x)
    expected = resize_bilinear(x, (4 * factor, 5 * factor), align_corners=False)
    # Away from the border, where the transposed convolution falls to zero.
    half = factor // 2
    inner = y[:, half:-half, half:-half]
    assert inner.shape == expected.shape
    np.testing.assert_allclose(
        inner[:, half:-half, half:-half], expected[:, half:-half, half:-half], atol=1e-6
    )
    np.testing.assert_allclose(y[:, 0, 0], x[:, 0, 0] / (2 * factor) ** 2, atol=1e-6)


@pytest.mark.parametrize(("learned", "leaf"), [(True, "kernel"), (False, "interpolation")])
def test_only_a_learned_kernel_gets_a_gradient(learned, leaf):
    x = jnp.ones((1, 2, 2, 1))
    layer = BilinearUpConv(1, 2, learned)
    params = layer.init(jax.random.key(0), x)["params"]
    assert set(params) == {leaf}
    gradient = jax.grad(lambda params: layer.apply({"params": params}, x).sum())(params)
    assert bool(gradient[leaf].any()) == learned
