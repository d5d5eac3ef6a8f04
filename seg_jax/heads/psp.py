"""The pyramid pooling of PSPNet (Zhao et al. 2017, arXiv:1612.01105, section 3.2, figure 3)."""

import dataclasses

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from seg_jax.layers.adaptive_pool import pool_adaptive
from seg_jax.layers.conv import Conv, ConvNormAct
from seg_jax.layers.dropout import Dropout
from seg_jax.layers.norm import Norm, identity_norm
from seg_jax.layers.resize import resize_bilinear


class PyramidPooling(nn.Module):
    """Averages over grids of several sizes, projects each and joins them to the input.

    Attributes:
        bins: regions per side of each grid.
        features: channels of each projection; `None` divides those of the input by the number
            of grids, as the paper does.
        norm_pooled: `False` gives the projection of the 1x1 grid a bias in place of its norm,
            as segmentation-models-pytorch does.
        align_corners: convention of the interpolation, see `resize_bilinear`.
        norm: normalisation factory.
    """

    bins: tuple[int, ...]
    features: int | None
    norm_pooled: bool
    align_corners: bool
    norm: Norm = dataclasses.field(kw_only=True)

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w c2"]:
        """Returns `x` and the resized projections, joined."""
        features = self.features or x.shape[-1] // len(self.bins)
        parts = [x]
        for i, bins in enumerate(self.bins, start=1):
            plain = bins == 1 and not self.norm_pooled
            project = ConvNormAct(
                features,
                1,
                use_bias=plain,
                norm=identity_norm if plain else self.norm,
                name=f"pool{i}",
            )
            pooled = project(pool_adaptive(x, bins))
            size = x.shape[1:3]
            parts.append(resize_bilinear(pooled, size, align_corners=self.align_corners))
        return jnp.concatenate(parts, axis=-1)


class PSPHead(nn.Module):
    """Pyramid pooling, a convolution, dropout and the classifier.

    Attributes:
        num_classes: channels of the result.
        features: channels of the convolution after the pooling.
        bins: see `PyramidPooling`.
        bin_features: its `features`.
        norm_pooled: see `PyramidPooling`.
        kernel_size: side of the kernel after the pooling.
        classifier_kernel_size: side of the classifier's kernel.
        dropout_rate: share of the features dropped in front of the classifier.
        align_corners: convention of the interpolation.
        norm: normalisation factory.
    """

    num_classes: int
    features: int
    dropout_rate: float
    align_corners: bool
    bins: tuple[int, ...] = (1, 2, 3, 6)
    bin_features: int | None = None
    norm_pooled: bool = True
    kernel_size: int = 3
    classifier_kernel_size: int = 1
    norm: Norm = dataclasses.field(kw_only=True)

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], *, train: bool
    ) -> Float[Array, "b h w {self.num_classes}"]:
        """Returns logits at the resolution of `x`."""
        x = PyramidPooling(
            self.bins,
            self.bin_features,
            self.norm_pooled,
            self.align_corners,
            norm=self.norm,
            name="pyramid",
        )(x)
        x = ConvNormAct(self.features, self.kernel_size, norm=self.norm, name="project")(x)
        x = Dropout(self.dropout_rate, deterministic=not train)(x)
        return Conv(self.num_classes, self.classifier_kernel_size, name="classifier")(x)
