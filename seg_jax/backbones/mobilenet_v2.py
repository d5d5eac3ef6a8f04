"""MobileNetV2 (Sandler et al., arXiv:1801.04381, table 2)."""

import dataclasses
from functools import partial
from typing import Literal, NamedTuple

import flax.linen as nn
from jaxtyping import Array, Float

from seg_jax.backbones.strides import plan_stages
from seg_jax.layers.conv import ConvNormAct, Padding, linear, relu6
from seg_jax.layers.norm import Norm
from seg_jax.layers.remat import kept
from seg_jax.typing import Features


class _Setting(NamedTuple):
    """One row of table 2: expansion factor t, channels c, repetitions n, stride s."""

    expansion: int
    features: int
    blocks: int
    stride: int


_SETTINGS = (
    _Setting(1, 16, 1, 1),
    _Setting(6, 24, 2, 2),
    _Setting(6, 32, 3, 2),
    _Setting(6, 64, 4, 2),
    _Setting(6, 96, 3, 1),
    _Setting(6, 160, 3, 2),
    _Setting(6, 320, 1, 1),
)


class InvertedResidual(nn.Module):
    """1x1 expansion, depthwise 3x3, linear 1x1 projection.

    Attributes:
        features: output channels.
        expansion: factor on the input channels; 1 leaves the expansion out.
        stride: stride of the depthwise convolution.
        rate: atrous rate of the depthwise convolution.
        padding: see `layers.conv.Conv`.
        residual: adds the input, if it has as many channels as the output. A block designed
            with a stride never does, not even when the stride was traded for a rate.
        norm: normalisation factory, already told whether this is a training pass.
    """

    features: int
    expansion: int
    stride: int
    rate: int
    padding: Padding
    residual: bool
    norm: Norm

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 {self.features}"]:
        """Returns f(x) or x + f(x)."""
        layer = partial(ConvNormAct, norm=self.norm)
        hidden, y = self.expansion * x.shape[-1], x
        if self.expansion != 1:
            y = layer(hidden, 1, act=relu6, name="expand")(y)
        y = layer(
            hidden,
            3,
            self.stride,
            self.rate,
            hidden,
            act=relu6,
            padding=self.padding,
            name="depthwise",
        )(y)
        y = layer(self.features, 1, act=linear, name="project")(y)
        return kept(x + y if self.residual and x.shape[-1] == self.features else y, "block")


class MobileNetV2(nn.Module):
    """Stem, seven groups of inverted residuals and the last 1x1 convolution.

    Attributes:
        output_stride: image pixels per cell of the last map: 2, 4, 8, 16 or 32.
        width: multiplies every channel count.
        channel_multiple: counts are rounded to multiples of it; the authors' DeepLab takes 1
            where the width is below 1.
        last_features: channels of the last 1x1 convolution, which a width above 1 scales;
            `None` leaves it out, as the authors' DeepLab does.
        entry_keeps_rate: a depthwise convolution whose stride was removed keeps the rate of the
            group before, which makes dense features agree with strided ones. `False` gives it
            the new rate, as segmentation-models-pytorch does.
        padding: "tensorflow" for weights that were trained there, see `layers.conv.Conv`.
        norm: normalisation factory, already told whether this is a training pass.
    """

    output_stride: int = 32
    width: float = 1.0
    channel_multiple: int = 8
    last_features: int | None = 1280
    entry_keeps_rate: bool = True
    padding: Literal["symmetric", "tensorflow"] = "symmetric"
    norm: Norm = dataclasses.field(kw_only=True)

    def __call__(self, image: Float[Array, "b h w 3"]) -> Features:
        """Returns the last features of every stride."""
        return dict(self.stages(image))

    @nn.compact
    def stages(self, image: Float[Array, "b h w 3"]) -> list[tuple[int, Array]]:
        """Returns (stride, features) of every group; the last includes the 1x1 convolution."""
        plan = plan_stages([row.stride for row in _SETTINGS], self.output_stride, stem_stride=2)
        stem = round_channels(32 * self.width, self.channel_multiple)
        layer = partial(ConvNormAct, act=relu6, norm=self.norm)
        x = layer(stem, 3, 2, padding=self.padding, name="stem")(image)
        stages, current = [], 2
        for i, (stage, row) in enumerate(zip(plan, _SETTINGS, strict=True), start=1):
            first = stage.entry_rate if self.entry_keeps_rate else stage.rate
            for j in range(1, row.blocks + 1):
                x = InvertedResidual(
                    round_channels(row.features * self.width, self.channel_multiple),
                    row.expansion,
                    stride=stage.stride if j == 1 else 1,
                    rate=first if j == 1 else stage.rate,
                    padding=self.padding,
                    residual=j > 1 or row.stride == 1,
                    norm=self.norm,
                    name=f"stage{i}_block{j}",
                )(x)
            current *= stage.stride
            stages.append((current, x))
        if self.last_features is not None:
            last = round_channels(self.last_features * max(1.0, self.width))
            stages[-1] = (current, layer(last, 1, name="last")(x))
        return stages


def round_channels(features: float, multiple: int = 8) -> int:
    """Rounds to a multiple of `multiple`, at least one, and never down by more than a tenth.

    The rule of the authors' release; imported weights depend on it.

    >>> round_channels(24 * 0.35), round_channels(11), round_channels(12, multiple=1)
    (8, 16, 12)
    """
    rounded = max(multiple, int(features + multiple / 2) // multiple * multiple)
    return rounded if rounded >= 0.9 * features else rounded + multiple
