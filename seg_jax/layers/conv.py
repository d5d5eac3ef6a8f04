"""Convolution layers: the only place where padding and atrous rates are spelled out."""

import dataclasses
from collections.abc import Callable
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seg_jax.layers.init import he_normal
from seg_jax.layers.lowering import Pads, convolve
from seg_jax.layers.norm import Norm
from seg_jax.layers.remat import kept

Activation = Callable[[Array], Array]

Padding = int | Literal["symmetric", "tensorflow"]
"""Zeros around the input: a number on every side, or a rule, see `Conv`."""


def linear(x: Array) -> Array:
    """The activation of layers that have none."""
    return x


def relu6(x: Array) -> Array:
    """min(max(x, 0), 6), the activation of MobileNets (arXiv:1801.04381)."""
    return jnp.clip(x, 0, 6)


class Conv(nn.Module):
    """k x k convolution; by both rules of padding, height and width become ceil(size / stride).

    "symmetric" pads `rate * (kernel_size - 1) // 2` on every side, as Caffe and PyTorch do.
    "tensorflow" pads no more than the size needs, the odd zero below and on the right, as its
    "SAME" does: at stride 2 and even sizes it shifts every feature after it by half a cell, and
    weights trained with one rule lose accuracy under the other.

    Parameters: `kernel` [kernel_size, kernel_size, c / groups, features] and `bias` [features].
    The kernel is cast to the dtype of the input.

    Attributes:
        features: output channels.
        kernel_size: side of the square kernel.
        stride: step of the output grid in cells of the input.
        rate: atrous rate; 1 is an ordinary convolution.
        groups: number of channel groups; both channel counts must be multiples of it.
        use_bias: adds a bias, initially zero.
        kernel_init: initialiser of the kernel.
        padding: one of the rules, or the number of zeros on every side.
    """

    features: int
    kernel_size: int = 3
    stride: int = 1
    rate: int = 1
    groups: int = 1
    use_bias: bool = True
    kernel_init: nn.initializers.Initializer = he_normal
    padding: Padding = "symmetric"

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 {self.features}"]:
        """Convolves `x`.

        Raises:
            ValueError: the kernel has no centre to pad around, or `groups` does not divide the
                channels.
        """
        channels = x.shape[-1]
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
            pads=self._pads(x.shape[1], x.shape[2]),
        )
        y = kept(y, "conv")
        if self.use_bias:
            bias = self.param("bias", nn.initializers.zeros, (self.features,))
            y = y + jnp.asarray(bias, x.dtype)[None, None, None, :]
        return y

    def _pads(self, height: int, width: int) -> Pads:
        reach = self.rate * (self.kernel_size - 1)
        if isinstance(self.padding, int):
            return (self.padding, self.padding), (self.padding, self.padding)
        if self.padding == "tensorflow":
            tops, totals = [], []
            for size in (height, width):
                total = max((-(-size // self.stride) - 1) * self.stride + 1 + reach - size, 0)
                totals.append(total)
                tops.append(total // 2)
            return (tops[0], totals[0] - tops[0]), (tops[1], totals[1] - tops[1])
        if reach % 2:
            raise ValueError(
                f"kernel_size={self.kernel_size} of {self.name!r} at rate {self.rate} has no "
                f"centre to pad around; give an odd kernel_size, or an even rate."
            )
        return (reach // 2, reach // 2), (reach // 2, reach // 2)


class ConvNormAct(nn.Module):
    """k x k convolution, normalisation, activation, under the names "conv" and "norm".

    Attributes:
        features: output channels.
        kernel_size: side of the square kernel.
        stride: step of the output grid in cells of the input.
        rate: atrous rate; 1 is an ordinary convolution.
        groups: number of channel groups.
        use_bias: gives the convolution a bias; a norm that subtracts the mean cancels it.
        act: activation; `linear` for none.
        padding: see `Conv`.
        norm: normalisation factory, already told whether this is a training pass.
    """

    features: int
    kernel_size: int = 3
    stride: int = 1
    rate: int = 1
    groups: int = 1
    use_bias: bool = False
    act: Activation = jax.nn.relu
    padding: Padding = "symmetric"
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
            padding=self.padding,
            name="conv",
        )(x)
        return self.act(self.norm(name="norm")(x))
