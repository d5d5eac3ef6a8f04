"""Joint Pyramid Upsampling of FastFCN (arXiv:1903.11816, section 3.3, figure 4)."""

import dataclasses

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from seg_jax.layers.conv import ConvNormAct, linear
from seg_jax.layers.norm import Norm
from seg_jax.layers.resize import resize_bilinear
from seg_jax.layers.separable import SeparableConv
from seg_jax.typing import Features

_RATES = (1, 2, 4, 8)


class JointPyramidUpsampling(nn.Module):
    """Approximates, from strides 8, 16 and 32, the features of an atrous backbone at stride 8.

    Each stage passes a 3x3 convolution and is resized to stride 8; separable convolutions of
    rates 1, 2, 4 and 8 read the concatenation in parallel. As in the authors' code, a norm
    but no ReLU stands between the two halves of a separable convolution.

    Attributes:
        features: channels per stage and per rate; the result has four times as many.
        align_corners: convention of the interpolation, see `resize_bilinear`.
        norm: normalisation factory.
    """

    features: int
    align_corners: bool
    norm: Norm = dataclasses.field(kw_only=True)

    @nn.compact
    def __call__(self, features: Features) -> Float[Array, "b h w {4*self.features}"]:
        """Returns features at stride 8."""
        size = features[8].shape[1:3]
        stages = []
        for stride, name in ((32, "conv5"), (16, "conv4"), (8, "conv3")):
            stage = ConvNormAct(self.features, norm=self.norm, name=name)(features[stride])
            stages.append(resize_bilinear(stage, size, align_corners=self.align_corners))
        x = jnp.concatenate(stages, axis=-1)
        branches = [
            SeparableConv(
                self.features,
                rate=rate,
                depthwise_act=linear,
                norm=self.norm,
                # Named by place: "branch3" has rate 4.
                name=f"branch{i}",
            )(x)
            for i, rate in enumerate(_RATES, start=1)
        ]
        return jnp.concatenate(branches, axis=-1)
