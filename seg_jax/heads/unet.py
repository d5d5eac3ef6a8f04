"""The two halves of U-Net (arXiv:1505.04597, section 2, figure 1)."""

import dataclasses
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seg_jax.layers.conv import Conv
from seg_jax.layers.deconv import UpConv
from seg_jax.layers.norm import Norm
from seg_jax.layers.pool import max_pool
from seg_jax.layers.resize import resize_bilinear
from seg_jax.typing import Features

Upsampling = Literal["transposed", "bilinear"]


class DoubleConv(nn.Module):
    """Two 3x3 convolutions, each followed by the norm and a ReLU.

    Attributes:
        mid_features: channels of the first convolution.
        features: channels of the second.
        padded: keeps the size; otherwise each convolution takes off one pixel on every side.
        use_bias: gives the convolutions a bias, for networks without normalisation.
        norm: normalisation factory.
    """

    mid_features: int
    features: int
    padded: bool
    use_bias: bool
    norm: Norm = dataclasses.field(kw_only=True)

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 {self.features}"]:
        """Convolves twice."""
        for i, features in enumerate((self.mid_features, self.features), start=1):
            x = Conv(features, use_bias=self.use_bias, name=f"conv{i}")(x)
            if not self.padded:
                # What the zero padding has touched goes before the norm sees it.
                x = x[:, 1:-1, 1:-1]
            x = jax.nn.relu(self.norm(name=f"norm{i}")(x))
        return x


class UNetEncoder(nn.Module):
    """The contracting path: double convolutions with 2x2 max pooling between them.

    Attributes:
        stage_features: channels of each stage, finest first.
        padded: see `DoubleConv`.
        use_bias: see `DoubleConv`.
        norm: normalisation factory.
    """

    stage_features: tuple[int, ...]
    padded: bool
    use_bias: bool
    norm: Norm = dataclasses.field(kw_only=True)

    @nn.compact
    def __call__(self, image: Float[Array, "b h w 3"]) -> Features:
        """Returns {stride: features}; pooling drops the last row or column of an odd map."""
        x, maps = image, {}
        for i, features in enumerate(self.stage_features):
            x = x if i == 0 else max_pool(x, 2, 2, 0)
            block = DoubleConv(
                features, features, self.padded, self.use_bias, norm=self.norm, name=f"stage{i + 1}"
            )
            maps[2**i] = x = block(x)
        return maps


class UNetDecoder(nn.Module):
    """The expansive path: doubles the resolution stage by stage and joins the skips.

    Stages are named like the encoder's: "stage1" works at full resolution. At a stride that
    the encoder does not deliver, such as 1 of most backbones, there is nothing to join.

    Attributes:
        base_features: channels at full resolution; a stage at stride s has s times as many.
        upsampling: "transposed" is the paper's 2x2 up-convolution, which halves the channels;
            "bilinear" has no parameters: the second convolution of every stage halves them.
        align_corners: convention of the bilinear interpolation, see `resize_bilinear`.
        padded: see `DoubleConv`; if `False`, skips are cropped to the smaller map's centre.
        use_bias: see `DoubleConv`.
        norm: normalisation factory.
    """

    base_features: int
    upsampling: Upsampling
    align_corners: bool
    padded: bool
    use_bias: bool
    norm: Norm = dataclasses.field(kw_only=True)

    @nn.compact
    def __call__(
        self, features: Features, size: tuple[int, int]
    ) -> Float[Array, "b h w {self.base_features}"]:
        """Returns features at full resolution.

        Args:
            features: maps of the encoder by stride, all strides powers of two.
            size: (height, width) of the image.
        """
        deepest = max(features)
        x = features[deepest]
        for level in reversed(range(deepest.bit_length() - 1)):
            stride, name = 2**level, f"stage{level + 1}"
            skip, width = features.get(stride), self.base_features * stride
            if not self.padded:
                target = 2 * x.shape[1], 2 * x.shape[2]
            elif skip is not None:
                target = skip.shape[1], skip.shape[2]
            else:
                target = -(-size[0] // stride), -(-size[1] // stride)
            if self.upsampling == "transposed":
                x = _fit(UpConv(width, name=f"{name}_up")(x), target)
                narrow = width
            else:
                x = resize_bilinear(x, target, align_corners=self.align_corners)
                narrow = max(width // 2, self.base_features)
            if skip is not None:
                skip = skip if self.padded else _crop_centre(skip, target)
                x = jnp.concatenate([skip, x], axis=-1)
            x = DoubleConv(width, narrow, self.padded, self.use_bias, norm=self.norm, name=name)(x)
        return x


def _fit(x: Array, size: tuple[int, int]) -> Array:
    """Crops or zero-pads the last row and column: a map is at most one cell off its double."""
    x = x[:, : size[0], : size[1]]
    missing = [(0, want - have) for want, have in zip(size, x.shape[1:3], strict=True)]
    return jnp.pad(x, ((0, 0), *missing, (0, 0)))


def _crop_centre(x: Array, size: tuple[int, int]) -> Array:
    top, left = (x.shape[1] - size[0]) // 2, (x.shape[2] - size[1]) // 2
    return x[:, top : top + size[0], left : left + size[1]]
