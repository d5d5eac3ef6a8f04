"""A separable convolution is a depthwise and a pointwise convolution."""

import jax
import jax.numpy as jnp
import numpy as np

from seg_jax.layers.conv import Conv, linear
from seg_jax.layers.norm import batch_norm, identity_norm
from seg_jax.layers.separable import SeparableConv


def test_it_is_two_convolutions():
    x = jnp.asarray(np.random.RandomState(0).randn(2, 7, 9, 4), jnp.float32)
    layer = SeparableConv(6, stride=2, rate=2, norm=identity_norm)
    variables = layer.init(jax.random.key(0), x)
    params = variables["params"]
    y = Conv(4, stride=2, rate=2, groups=4, use_bias=False).apply(
        {"params": params["depthwise"]["conv"]}, x
    )
    y = Conv(6, kernel_size=1, use_bias=False).apply(
        {"params": params["pointwise"]["conv"]}, jax.nn.relu(y)
    )
    np.testing.assert_allclose(layer.apply(variables, x), jax.nn.relu(y), atol=1e-6)


def test_what_stands_in_between_is_chosen():
    x = jnp.asarray(np.random.RandomState(0).randn(1, 7, 9, 4), jnp.float32)
    norm = batch_norm(train=False)
    bare = SeparableConv(6, norm=norm, depthwise_norm=identity_norm, depthwise_act=linear)
    full = SeparableConv(6, norm=norm)
    variables = full.init(jax.random.key(0), x)
    assert "norm" in variables["params"]["depthwise"]
    assert "norm" not in bare.init(jax.random.key(0), x)["params"]["depthwise"]
    # Without an activation in between, the layer is linear up to its last ReLU.
    with_relu = full.clone(depthwise_norm=identity_norm)
    y, minus = bare.apply(variables, x), bare.apply(variables, -x)
    linear_part = bare.clone(act=linear).apply(variables, x)
    np.testing.assert_allclose(y - minus, linear_part, atol=1e-6)
    assert float(jnp.abs(with_relu.apply(variables, x) - y).max()) > 0.01
