"""Convolution layers: the only place where padding and atrous rates are spelled out."""

import dataclasses
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seg_jax.layers.init import he_normal
from seg_jax.layers.lowering import convolve
from seg_jax.layers.norm import Norm

Activation = Callable[[Array], Array]


def linear(x: Array) -> Array:
    """The activation of layers that have none."""
    return x


def relu6(x: Array) -> Array:
    """min(max(x, 0), 6), the activation of MobileNets (arXiv:1801.04381)."""
    return jnp.clip(x, 0, 6)


class Conv(nn.Module):
    """k x k convolution; height and width become ceil(size / stride).

    Padding is symmetric, `rate * (kernel_size - 1) // 2` on every side, as in Caffe and
    PyTorch, so imported weights see the same receptive field. XLA's "SAME" pads the bottom
    right one pixel more when the stride is 2 and shifts every feature after it.

    Parameters: `kernel` [kernel_size, kernel_size, c / groups, features] and `bias` [features].
    The kernel is cast to the dtype of the input.

    Attributes:
        features: output channels.
        kernel_size: odd side of the square kernel.
        stride: step of the output grid in cells of the input.
        rate: atrous rate; 1 is an ordinary convolution.
        groups: number of channel groups; both channel counts must be multiples of it.
        use_bias: adds a bias, initially zero.
        kernel_init: initialiser of the kernel.
    """

    features: int
    kernel_size: int = 3
    stride: int = 1
    rate: int = 1
    groups: int = 1
    use_bias: bool = True
    kernel_init: nn.initializers.Initializer = he_normal

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 {self.features}"]:
        """Convolves `x`.

        Raises:
            ValueError: `kernel_size` is even, or `groups` does not divide the channels.
        """
        channels = x.shape[-1]
        if self.kernel_size % 2 == 0:
            raise ValueError(
                f"kernel_size={self.kernel_size} of {self.name!r} is even and has no centre to "
                f"pad around; give an odd kernel_size."
            )
        if channels % self.groups or self.features % self.groups:
            raise ValueError(
                f"groups={self.groups} of {self.name!r} does not divide its {channels} input and "
                f"{self.features} output channels; give a common divisor of both."
            )
        shape = (self.kernel_size, self.kernel_size, channels // self.groups, self.features)
        kernel = self.param("kernel", self.kernel_init, shape)
        y = convolve(
            x,
            jnp.asarray(kernel, x.dtype),
            stride=self.stride,
            rate=self.rate,
            groups=self.groups,
        )
        if self.use_bias:
            bias = self.param("bias", nn.initializers.zeros, (self.features,))
            y = y + jnp.asarray(bias, x.dtype)[None, None, None, :]
        return y


class ConvNormAct(nn.Module):
    """k x k convolution, normalisation, activation, under the names "conv" and "norm".

    Attributes:
        features: output channels.
        kernel_size: odd side of the square kernel.
        stride: step of the output grid in cells of the input.
        rate: atrous rate; 1 is an ordinary convolution.
        groups: number of channel groups.
        use_bias: gives the convolution a bias; a norm that subtracts the mean cancels it.
        norm: normalisation factory, already told whether this is a training pass.
        act: activation; `linear` for none.
    """

    features: int
    kernel_size: int = 3
    stride: int = 1
    rate: int = 1
    groups: int = 1
    use_bias: bool = False
    act: Activation = jax.nn.relu
    norm: Norm = dataclasses.field(kw_only=True)

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 {self.features}"]:
        """Returns act(norm(conv(x)))."""
        x = Conv(
            self.features,
            self.kernel_size,
            self.stride,
            self.rate,
            self.groups,
            self.use_bias,
            name="conv",
        )(x)
        return self.act(self.norm(name="norm")(x))
