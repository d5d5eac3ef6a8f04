"""Lite R-ASPP (Howard et al. 2019, arXiv:1905.02244, section 6.4, figure 10)."""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seg_jax.layers.conv import Conv, ConvNormAct
from seg_jax.layers.norm import Norm
from seg_jax.layers.resize import resize_bilinear


class LRASPPHead(nn.Module):
    """Gates semantic features by their mean and adds the scores of finer ones.

    Attributes:
        num_classes: channels of the result.
        features: channels of the gated features.
        align_corners: convention of the interpolation, see `resize_bilinear`.
        norm: normalisation factory.
    """

    num_classes: int
    features: int
    align_corners: bool
    norm: Norm = dataclasses.field(kw_only=True)

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], low_level: Float[Array, "b h2 w2 c2"]
    ) -> Float[Array, "b h2 w2 {self.num_classes}"]:
        """Returns logits at the resolution of `low_level`."""
        gate = jnp.mean(x, axis=(1, 2), keepdims=True)
        gate = jax.nn.sigmoid(Conv(self.features, 1, use_bias=False, name="gate")(gate))
        x = ConvNormAct(self.features, 1, norm=self.norm, name="conv")(x) * gate
        x = resize_bilinear(x, low_level.shape[1:3], align_corners=self.align_corners)
        low_level = Conv(self.num_classes, 1, name="low_classifier")(low_level)
        return low_level + Conv(self.num_classes, 1, name="high_classifier")(x)
