"""Convolution layers against a plain loop, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.layers.conv import Conv, ConvNormAct, linear, relu6
from seg_jax.layers.lowering import use_lowering
from seg_jax.layers.norm import batch_norm, identity_norm


def loop_conv(x, kernel, stride, rate, groups):
    """Convolves cell by cell, in float64, with zero padding of rate * (k - 1) / 2."""
    size, _, per_group, features = kernel.shape
    pad = rate * (size - 1) // 2
    x = np.pad(np.float64(x), ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    rows = range(0, x.shape[1] - 2 * pad, stride)
    columns = range(0, x.shape[2] - 2 * pad, stride)
    y = np.zeros((len(x), len(rows), len(columns), features))
    for o in range(features):
        first = o // (features // groups) * per_group
        channels = slice(first, first + per_group)
        for i, top in enumerate(rows):
            for j, left in enumerate(columns):
                bottom, right = top + rate * (size - 1) + 1, left + rate * (size - 1) + 1
                patch = x[:, top:bottom:rate, left:right:rate, channels]
                y[:, i, j, o] = np.einsum("bijc,ijc->b", patch, kernel[..., o])
    return y


@pytest.mark.parametrize(
    ("kernel_size", "stride", "rate", "groups"),
    [
        (3, 1, 1, 1),
        (3, 2, 1, 1),
        (7, 2, 1, 1),
        (1, 2, 1, 1),
        (3, 1, 6, 1),
        (3, 2, 2, 4),
        (3, 1, 1, 2),
    ],
)
def test_conv_is_the_plain_loop(kernel_size, stride, rate, groups):
    random = np.random.RandomState(0)
    x = random.randn(2, 7, 8, 4).astype(np.float32)
    kernel = random.randn(kernel_size, kernel_size, 4 // groups, 4).astype(np.float32)
    layer = Conv(4, kernel_size, stride, rate, groups)
    params = {"kernel": jnp.asarray(kernel), "bias": jnp.arange(4.0)}
    expected = loop_conv(x, kernel, stride, rate, groups) + np.arange(4.0)
    for lowering in ("lax", "fast"):
        with use_lowering(lowering):
            actual = jax.jit(layer.apply)({"params": params}, jnp.asarray(x))
        np.testing.assert_allclose(actual, expected, atol=2e-5)


def test_an_even_kernel_has_a_centre_at_an_even_rate():
    random = np.random.RandomState(0)
    x, kernel = random.randn(1, 7, 8, 2), random.randn(4, 4, 2, 3)
    params = {"kernel": jnp.asarray(kernel, jnp.float32)}
    layer = Conv(3, 4, rate=2, use_bias=False)
    actual = layer.apply({"params": params}, jnp.asarray(x, jnp.float32))
    assert actual.shape == (1, 7, 8, 3)
    np.testing.assert_allclose(actual, loop_conv(x, kernel, 1, 2, 1), atol=2e-5)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("size", [(7, 8), (8, 7), (1, 2)])
def test_tensorflow_pads_the_end_and_no_more_than_needed(size, groups):
    x = jnp.asarray(np.random.RandomState(0).randn(1, *size, 2), jnp.float32)
    kernel = jnp.asarray(np.random.RandomState(1).randn(3, 3, 2 // groups, 2), jnp.float32)
    layer = Conv(2, 3, 2, groups=groups, use_bias=False, padding="tensorflow")
    expected = jax.lax.conv_general_dilated(
        x,
        kernel,
        window_strides=(2, 2),
        padding="SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )
    actual = layer.apply({"params": {"kernel": kernel}}, x)
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_a_number_of_zeros_goes_on_every_side():
    x = jnp.asarray(np.random.RandomState(0).randn(1, 6, 5, 2), jnp.float32)
    variables = Conv(3).init(jax.random.key(0), x)
    whole = Conv(3).apply(variables, x)
    np.testing.assert_allclose(
        Conv(3, padding=0).apply(variables, x), whole[:, 1:-1, 1:-1], atol=1e-6
    )
    wide = Conv(3, padding=3).apply(variables, x)
    assert wide.shape == (1, 10, 9, 3)
    np.testing.assert_allclose(wide[:, 2:-2, 2:-2], whole, atol=1e-6)


def test_conv_keeps_the_dtype_of_its_input():
    layer, x = Conv(3), jnp.ones((1, 4, 4, 2), jnp.bfloat16)
    y, variables = layer.init_with_output(jax.random.key(0), x)
    assert y.dtype == jnp.bfloat16
    assert variables["params"]["kernel"].dtype == jnp.float32


@pytest.mark.parametrize(
    ("layer", "field"), [(Conv(4, kernel_size=2), "kernel_size=2"), (Conv(4, groups=3), "groups=3")]
)
def test_impossible_convolutions_are_refused(layer, field):
    with pytest.raises(ValueError, match=field):
        layer.init(jax.random.key(0), jnp.ones((1, 4, 4, 4)))


def test_conv_norm_act_applies_them_in_this_order():
    x = jnp.asarray(np.random.RandomState(0).randn(1, 5, 5, 3), jnp.float32)
    layer = ConvNormAct(4, norm=batch_norm(train=False))
    variables = layer.init(jax.random.key(0), x)
    assert set(variables["params"]) == {"conv", "norm"}
    assert set(variables["params"]["conv"]) == {"kernel"}
    variables["batch_stats"]["norm"]["mean"] = jnp.full(4, 0.5)
    convolved = Conv(4, use_bias=False).apply({"params": variables["params"]["conv"]}, x)
    expected = jax.nn.relu((convolved - 0.5) / np.sqrt(1 + 1e-5))
    np.testing.assert_allclose(layer.apply(variables, x), expected, atol=1e-6)


def test_conv_norm_act_without_norm_is_a_biased_convolution():
    x = jnp.ones((1, 5, 5, 3))
    layer = ConvNormAct(4, use_bias=True, norm=identity_norm, act=linear)
    y, variables = layer.init_with_output(jax.random.key(0), x)
    assert set(variables) == {"params"}
    assert set(variables["params"]) == {"conv"}
    np.testing.assert_array_equal(y, Conv(4).apply({"params": variables["params"]["conv"]}, x))


def test_relu6_clips_both_ends():
    np.testing.assert_array_equal(relu6(jnp.array([-1.0, 3.0, 7.0])), [0.0, 3.0, 6.0])
