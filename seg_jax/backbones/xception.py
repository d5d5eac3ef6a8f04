"""The aligned Xception of DeepLabv3+ (arXiv:1802.02611, section 3.2, figure 4).

Xception (Chollet, arXiv:1610.02357) with a deeper middle flow, max poolings replaced by strided
separable convolutions, and a norm after every depthwise convolution. Xception-41 and -71 are
those of the authors' release.
"""

import dataclasses
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from seg_jax.backbones.strides import plan_stages
from seg_jax.layers.conv import ConvNormAct, linear
from seg_jax.layers.norm import Norm
from seg_jax.layers.remat import kept
from seg_jax.layers.separable import SeparableConv
from seg_jax.typing import Features


class _Setting(NamedTuple):
    """One block of figure 4: output channels of its three convolutions, stride of the last."""

    features: tuple[int, int, int]
    stride: int


def _same(features: int, stride: int = 1) -> _Setting:
    return _Setting((features, features, features), stride)


_ENTRY = (_same(128, 2), _same(256, 2), _same(728, 2))
_ENTRY_71 = (_same(128, 2), _same(256), _same(256, 2), _same(728), _same(728, 2))
_EXIT = _Setting((728, 1024, 1024), 2)
_LAST = _Setting((1536, 1536, 2048), 1)


class XceptionBlock(nn.Module):
    """Three separable convolutions, each behind a ReLU, added to the block's input.

    Attributes:
        features: output channels of each convolution.
        stride: stride of the last one.
        rate: atrous rate of all three: the last, which carries the stride, still sees the grid
            of the block's input.
        projects: projects the input with a 1x1 convolution before it is added.
        norm: normalisation factory.
    """

    features: tuple[int, int, int]
    stride: int
    rate: int
    projects: bool
    norm: Norm

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"]
    ) -> tuple[Float[Array, "b h2 w2 c2"], Float[Array, "b h w c3"]]:
        """Returns the block's output, and what the strided convolution reads."""
        y, tap = x, x
        for j, features in enumerate(self.features, start=1):
            tap = jax.nn.relu(y)
            y = SeparableConv(
                features,
                stride=self.stride if j == len(self.features) else 1,
                rate=self.rate,
                act=linear,
                depthwise_act=linear,
                norm=self.norm,
                name=f"conv{j}",
            )(tap)
        if self.projects:
            project = partial(ConvNormAct, act=linear, norm=self.norm, name="shortcut")
            x = project(y.shape[-1], 1, self.stride)(x)
        return kept(x + y, "block"), tap


class Xception(nn.Module):
    """Two convolutions, the entry, middle and exit flow.

    Attributes:
        entry: blocks of the entry flow.
        middle_blocks: blocks of the middle flow.
        output_stride: image pixels per cell of the last map: 2, 4, 8, 16 or 32.
        width: multiplies every channel count.
        norm: normalisation factory, already told whether this is a training pass. The authors'
            norms have epsilon 0.001.
    """

    entry: tuple[_Setting, ...]
    middle_blocks: int
    output_stride: int = 32
    width: float = 1.0
    norm: Norm = dataclasses.field(kw_only=True)

    def __call__(self, image: Float[Array, "b h w 3"]) -> Features:
        """Returns the last features of every stride."""
        return dict(self.stages(image))

    @nn.compact
    def stages(self, image: Float[Array, "b h w 3"]) -> list[tuple[int, Array]]:
        """Returns (stride, features) in front of every strided convolution, and of the last.

        Those at stride 4 are what the authors' decoder reads.
        """
        layer = partial(ConvNormAct, norm=self.norm)
        x = layer(self._scaled(32), 3, 2, name="stem1")(image)
        x = layer(self._scaled(64), 3, name="stem2")(x)
        blocks = (*self.entry, *(_same(728),) * self.middle_blocks, _EXIT)
        plan = plan_stages([block.stride for block in blocks], self.output_stride, stem_stride=2)
        stages, current = [], 2
        for i, (stage, block) in enumerate(zip(plan, blocks, strict=True), start=1):
            a, b, c = map(self._scaled, block.features)
            x, tap = XceptionBlock(
                (a, b, c),
                stage.stride,
                stage.entry_rate,
                projects=block.stride != 1 or x.shape[-1] != c,
                norm=self.norm,
                name=f"block{i}",
            )(x)
            if block.stride != 1:
                stages.append((current, tap))
            current *= stage.stride
        for j, features in enumerate(map(self._scaled, _LAST.features), start=1):
            x = SeparableConv(features, rate=plan[-1].rate, norm=self.norm, name=f"last{j}")(x)
        stages.append((current, x))
        return stages

    def _scaled(self, features: int) -> int:
        return max(round(features * self.width), 1)


xception41 = partial(Xception, entry=_ENTRY, middle_blocks=8)
xception65 = partial(Xception, entry=_ENTRY, middle_blocks=16)
xception71 = partial(Xception, entry=_ENTRY_71, middle_blocks=16)
