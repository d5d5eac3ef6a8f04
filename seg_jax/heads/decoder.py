"""The decoder of DeepLabv3+ (arXiv:1802.02611, section 3.1, figure 2)."""

import dataclasses
from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from seg_jax.layers.conv import ConvNormAct
from seg_jax.layers.norm import Norm
from seg_jax.layers.resize import resize_bilinear


class DeepLabDecoder(nn.Module):
    """Refines semantic features with few channels of an early, finer stage of the backbone.

    Attributes:
        features: channels of the convolutions.
        low_level_features: channels left of the early stage; few, so that it does not
            outweigh the semantic features (table 1 of the paper).
        num_convs: convolutions after the concatenation (table 2).
        kernel_size: side of their kernels; 3 is best, 1 the cheapest in that table.
        align_corners: convention of the interpolation, see `resize_bilinear`.
        conv: builds a convolution from (features, kernel_size, norm=, name=).
        norm: normalisation factory.
    """

    features: int
    low_level_features: int
    num_convs: int
    kernel_size: int
    align_corners: bool
    conv: Callable[..., nn.Module] = ConvNormAct
    norm: Norm = dataclasses.field(kw_only=True)

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], low_level: Float[Array, "b h4 w4 c4"]
    ) -> Float[Array, "b h4 w4 {self.features}"]:
        """Returns refined features at the resolution of `low_level`.

        Args:
            x: semantic features, of the ASPP in the paper.
            low_level: features of the early stage, at stride 4 in most of the paper.
        """
        skip = ConvNormAct(self.low_level_features, 1, norm=self.norm, name="low_level")(low_level)
        x = resize_bilinear(x, skip.shape[1:3], align_corners=self.align_corners)
        x = jnp.concatenate([x, skip], axis=-1)
        for i in range(1, self.num_convs + 1):
            x = self.conv(self.features, self.kernel_size, norm=self.norm, name=f"conv{i}")(x)
        return x
