"""Residual networks (He et al., arXiv:1512.03385), dense where an output stride asks for it."""

import dataclasses
from functools import partial
from typing import Literal

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from seg_jax.backbones.strides import plan_stages
from seg_jax.layers.conv import ConvNormAct, linear
from seg_jax.layers.norm import Norm
from seg_jax.layers.pool import max_pool
from seg_jax.layers.remat import kept
from seg_jax.typing import Features

_STRIDES = (1, 2, 2, 2)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, or 1x1, 3x3, 1x1 with a bottleneck, added to the input.

    Attributes:
        features: channels of the 3x3 convolutions; a bottleneck has four times as many outputs.
        bottleneck: the form of ResNet-50 and deeper.
        stride: stride of the block.
        stride_on: which convolution of a bottleneck carries the stride.
        entry_rate: rate of the convolution that carries the stride, if it is 3x3.
        rate: rate of the 3x3 convolution after it.
        projects: projects the input with a 1x1 convolution before it is added.
        norm: normalisation factory, already told whether this is a training pass.
    """

    features: int
    bottleneck: bool
    stride: int
    stride_on: Literal["3x3", "1x1"]
    entry_rate: int
    rate: int
    projects: bool
    norm: Norm

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 c2"]:
        """Returns relu(x + f(x)), where it projects relu(g(x) + f(x))."""
        layer = partial(ConvNormAct, norm=self.norm)
        if not self.bottleneck:
            y = layer(self.features, 3, self.stride, self.entry_rate, name="conv1")(x)
            y = layer(self.features, 3, rate=self.rate, act=linear, name="conv2")(y)
        elif self.stride_on == "3x3":
            y = layer(self.features, 1, name="conv1")(x)
            y = layer(self.features, 3, self.stride, self.entry_rate, name="conv2")(y)
            y = layer(4 * self.features, 1, act=linear, name="conv3")(y)
        else:
            y = layer(self.features, 1, self.stride, name="conv1")(x)
            y = layer(self.features, 3, rate=self.rate, name="conv2")(y)
            y = layer(4 * self.features, 1, act=linear, name="conv3")(y)
        if self.projects:
            x = layer(y.shape[-1], 1, self.stride, act=linear, name="shortcut")(x)
        return kept(jax.nn.relu(x + y), "block")


class ResNet(nn.Module):
    """A stem and four stages of residual blocks.

    Attributes:
        stage_sizes: blocks per stage.
        bottleneck: whether blocks have the bottleneck form.
        output_stride: image pixels per cell of the last map: 4, 8, 16 or 32.
        width: channels of the first stage's 3x3 convolutions; each stage doubles it.
        stem: "7x7" as in the paper, or "3x3" for three 3x3 convolutions ("ResNet-C",
            arXiv:1812.01187, section 4.1).
        stem_width: channels after the stem; the first two of "3x3" have half as many. `None`
            takes `width`.
        multi_grid: factors on the rates of the blocks of the fourth stage and of every
            cascaded one, one per block (arXiv:1706.05587, section 3.2).
        cascaded_stages: copies of the fourth stage behind it, each of nominal stride 2: 3 for
            "block7" of the cascaded DeepLabv3 (arXiv:1706.05587, section 3.2.1, figure 3).
        stage_rates: factors on the rates of each of the four stages; the first 3x3 convolution
            of a stage takes half of its factor. mmsegmentation's FastFCN has (1, 1, 2, 4) at
            output stride 32.
        ceil_pool: rounds sizes up in the stem's padded pooling, as Caffe does: maps of an image
            whose sides are multiples of 4 get one row and column more.
        stride_on: "3x3" puts the stride of a bottleneck on its 3x3 convolution, as PyTorch
            does ("v1.5"); "1x1" on its first convolution, as the paper and Caffe do.
        entry_keeps_rate: a 3x3 convolution whose stride was removed keeps the rate of the
            stage before, which makes dense features agree with strided ones. `False` gives
            it the new rate, as segmentation-models-pytorch does.
        norm: normalisation factory, already told whether this is a training pass.
    """

    stage_sizes: tuple[int, ...]
    bottleneck: bool
    output_stride: int = 32
    width: int = 64
    stem: Literal["7x7", "3x3"] = "7x7"
    stem_width: int | None = None
    multi_grid: tuple[int, ...] | None = None
    cascaded_stages: int = 0
    stage_rates: tuple[int, ...] = (1, 1, 1, 1)
    ceil_pool: bool = False
    stride_on: Literal["3x3", "1x1"] = "3x3"
    entry_keeps_rate: bool = True
    norm: Norm = dataclasses.field(kw_only=True)

    def __call__(self, image: Float[Array, "b h w 3"]) -> Features:
        """Returns the last features of every stride."""
        return dict(self.stages(image))

    @nn.compact
    def stages(self, image: Float[Array, "b h w 3"]) -> list[tuple[int, Array]]:
        """Returns (stride, features) of the stem, before its pooling, and of each stage.

        Dense networks have several stages of one stride; auxiliary heads read the last but one.

        Raises:
            ValueError: `multi_grid` does not have one factor per block of the last stage, or
                `stage_rates` one per stage.
        """
        sizes = self.stage_sizes + self.stage_sizes[-1:] * self.cascaded_stages
        factors, multi_grid = self._rate_factors()
        strides = _STRIDES + (2,) * self.cascaded_stages
        plan = plan_stages(strides, self.output_stride, stem_stride=4)
        x = self._stem(image)
        stages, current = [(2, x)], 4
        x = max_pool(x, 3, 2, (1, 2 if self.ceil_pool else 1))
        last = len(_STRIDES)
        for i, (stage, size) in enumerate(zip(plan, sizes, strict=True), start=1):
            features = self.width * 2 ** (min(i, last) - 1)
            deepens = x.shape[-1] != (4 if self.bottleneck else 1) * features
            factor, grid = factors[min(i, last) - 1], multi_grid if i >= last else (1,) * size
            rate = stage.rate * factor
            first = stage.entry_rate * max(factor // 2, 1) if self.entry_keeps_rate else rate
            for j, cell in enumerate(grid, start=1):
                x = ResidualBlock(
                    features,
                    self.bottleneck,
                    stride=stage.stride if j == 1 else 1,
                    stride_on=self.stride_on,
                    entry_rate=cell * (first if j == 1 else rate),
                    rate=cell * rate,
                    # By the stride as designed: parameters must not depend on the output stride.
                    projects=j == 1 and (deepens or strides[i - 1] != 1),
                    norm=self.norm,
                    name=f"stage{i}_block{j}",
                )(x)
            current *= stage.stride
            stages.append((current, x))
        return stages

    def _rate_factors(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Returns the checked `stage_rates` and `multi_grid`."""
        last_size = self.stage_sizes[-1]
        multi_grid = self.multi_grid or (1,) * last_size
        if len(multi_grid) != last_size:
            raise ValueError(
                f"multi_grid={multi_grid} has {len(multi_grid)} factors, but the last stage has "
                f"{last_size} blocks. Set config.model.backbone.multi_grid to one factor per block."
            )
        if len(self.stage_rates) != len(_STRIDES) or min(self.stage_rates) < 1:
            raise ValueError(
                f"stage_rates={self.stage_rates} is not one factor of 1 or more per stage. Set "
                f"config.model.backbone.stage_rates to four, such as (1, 1, 2, 4)."
            )
        return self.stage_rates, multi_grid

    def _stem(self, x):
        features = self.stem_width or self.width
        if self.stem == "7x7":
            return ConvNormAct(features, 7, 2, norm=self.norm, name="stem1")(x)
        x = ConvNormAct(features // 2, 3, 2, norm=self.norm, name="stem1")(x)
        x = ConvNormAct(features // 2, norm=self.norm, name="stem2")(x)
        return ConvNormAct(features, norm=self.norm, name="stem3")(x)


resnet18 = partial(ResNet, stage_sizes=(2, 2, 2, 2), bottleneck=False)
resnet34 = partial(ResNet, stage_sizes=(3, 4, 6, 3), bottleneck=False)
resnet50 = partial(ResNet, stage_sizes=(3, 4, 6, 3), bottleneck=True)
resnet101 = partial(ResNet, stage_sizes=(3, 4, 23, 3), bottleneck=True)
