"""MobileNetV3 (Howard et al., arXiv:1905.02244, tables 1 and 2)."""

import dataclasses
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from seg_jax.backbones.mobilenet_v2 import round_channels
from seg_jax.backbones.strides import plan_stages
from seg_jax.layers.conv import Activation, ConvNormAct, linear
from seg_jax.layers.norm import Norm
from seg_jax.layers.remat import kept
from seg_jax.layers.squeeze_excite import SqueezeExcite
from seg_jax.typing import Features

_LAST_EXPANSION = 6
"""Channels of the last convolution per channel of the last block."""


class _Setting(NamedTuple):
    """One row of tables 1 and 2."""

    kernel_size: int
    expanded: int
    features: int
    squeeze_excite: bool
    act: Activation
    stride: int


_RE, _HS = jax.nn.relu, jax.nn.hard_swish

_LARGE = (
    _Setting(3, 16, 16, False, _RE, 1),
    _Setting(3, 64, 24, False, _RE, 2),
    _Setting(3, 72, 24, False, _RE, 1),
    _Setting(5, 72, 40, True, _RE, 2),
    _Setting(5, 120, 40, True, _RE, 1),
    _Setting(5, 120, 40, True, _RE, 1),
    _Setting(3, 240, 80, False, _HS, 2),
    _Setting(3, 200, 80, False, _HS, 1),
    _Setting(3, 184, 80, False, _HS, 1),
    _Setting(3, 184, 80, False, _HS, 1),
    _Setting(3, 480, 112, True, _HS, 1),
    _Setting(3, 672, 112, True, _HS, 1),
    _Setting(5, 672, 160, True, _HS, 2),
    _Setting(5, 960, 160, True, _HS, 1),
    _Setting(5, 960, 160, True, _HS, 1),
)

_SMALL = (
    _Setting(3, 16, 16, True, _RE, 2),
    _Setting(3, 72, 24, False, _RE, 2),
    _Setting(3, 88, 24, False, _RE, 1),
    _Setting(5, 96, 40, True, _HS, 2),
    _Setting(5, 240, 40, True, _HS, 1),
    _Setting(5, 240, 40, True, _HS, 1),
    _Setting(5, 120, 48, True, _HS, 1),
    _Setting(5, 144, 48, True, _HS, 1),
    _Setting(5, 288, 96, True, _HS, 2),
    _Setting(5, 576, 96, True, _HS, 1),
    _Setting(5, 576, 96, True, _HS, 1),
)


class MobileNetV3Block(nn.Module):
    """1x1 expansion, depthwise convolution, squeeze-and-excitation, linear 1x1 projection.

    Attributes:
        features: output channels.
        expanded: channels of the depthwise convolution; no expansion where the input has them.
        kernel_size: side of the depthwise kernel.
        stride: stride of the depthwise convolution.
        rate: atrous rate of the depthwise convolution.
        squeeze_excite: gates the channels behind it.
        act: activation after the expansion and the depthwise convolution.
        residual: adds the input, if it has as many channels as the output. A block designed
            with a stride never does, not even when the stride was traded for a rate.
        norm: normalisation factory, already told whether this is a training pass.
    """

    features: int
    expanded: int
    kernel_size: int
    stride: int
    rate: int
    squeeze_excite: bool
    act: Activation
    residual: bool
    norm: Norm

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 {self.features}"]:
        """Returns f(x) or x + f(x)."""
        layer = partial(ConvNormAct, norm=self.norm)
        y = x
        if self.expanded != x.shape[-1]:
            y = layer(self.expanded, 1, act=self.act, name="expand")(y)
        y = layer(
            self.expanded,
            self.kernel_size,
            self.stride,
            self.rate,
            self.expanded,
            act=self.act,
            name="depthwise",
        )(y)
        if self.squeeze_excite:
            y = SqueezeExcite(round_channels(self.expanded / 4), name="squeeze_excite")(y)
        y = layer(self.features, 1, act=linear, name="project")(y)
        return kept(x + y if self.residual and x.shape[-1] == self.features else y, "block")


class MobileNetV3(nn.Module):
    """Stem, blocks and the last 1x1 convolution.

    Attributes:
        blocks: rows of the paper's table.
        output_stride: image pixels per cell of the last map: 2, 4, 8, 16 or 32.
        width: multiplies every channel count; counts are rounded to multiples of 8.
        entry_keeps_rate: a depthwise convolution whose stride was removed keeps the rate of the
            blocks before, which makes dense features agree with strided ones. `False` gives it
            the new rate, as torchvision does.
        norm: normalisation factory, already told whether this is a training pass. The authors'
            norms have epsilon 0.001.
    """

    blocks: tuple[_Setting, ...]
    output_stride: int = 32
    width: float = 1.0
    entry_keeps_rate: bool = True
    norm: Norm = dataclasses.field(kw_only=True)

    def __call__(self, image: Float[Array, "b h w 3"]) -> Features:
        """Returns the last features of every stride."""
        return dict(self.stages(image))

    @nn.compact
    def stages(self, image: Float[Array, "b h w 3"]) -> list[tuple[int, Array]]:
        """Returns (stride, features) of the stem and of every block.

        The last includes the 1x1 convolution, so item i is "features.i" of torchvision.
        """
        plan = plan_stages([row.stride for row in self.blocks], self.output_stride, stem_stride=2)
        layer = partial(ConvNormAct, act=_HS, norm=self.norm)
        x = layer(self._scaled(16), 3, 2, name="stem")(image)
        stages, current = [(2, x)], 2
        for i, (stage, row) in enumerate(zip(plan, self.blocks, strict=True), start=1):
            x = MobileNetV3Block(
                self._scaled(row.features),
                self._scaled(row.expanded),
                row.kernel_size,
                stage.stride,
                stage.entry_rate if self.entry_keeps_rate else stage.rate,
                row.squeeze_excite,
                row.act,
                residual=row.stride == 1,
                norm=self.norm,
                name=f"block{i}",
            )(x)
            current *= stage.stride
            stages.append((current, x))
        x = layer(_LAST_EXPANSION * x.shape[-1], 1, name="last")(x)
        return [*stages, (current, x)]

    def _scaled(self, features: int) -> int:
        return round_channels(features * self.width)


mobilenet_v3_large = partial(MobileNetV3, blocks=_LARGE)
mobilenet_v3_small = partial(MobileNetV3, blocks=_SMALL)
