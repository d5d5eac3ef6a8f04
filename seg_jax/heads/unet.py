"""The two halves of U-Net (arXiv:1505.04597, section 2, figure 1)."""

import dataclasses
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seg_jax.layers.conv import Conv, ConvNormAct
from seg_jax.layers.deconv import UpConv
from seg_jax.layers.norm import Norm
from seg_jax.layers.pool import max_pool
from seg_jax.layers.remat import kept
from seg_jax.layers.resize import resize_bilinear, resize_nearest
from seg_jax.typing import Features

Upsampling = Literal["transposed", "bilinear", "bilinear_conv", "nearest"]


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
            padding = "symmetric" if self.padded else 0
            x = Conv(features, use_bias=self.use_bias, padding=padding, name=f"conv{i}")(x)
            x = jax.nn.relu(self.norm(name=f"norm{i}")(x))
        return kept(x, "block")


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
            "bilinear" has no parameters: the second convolution of every stage halves them;
            "bilinear_conv" halves them by a 1x1 convolution after the interpolation, as
            mmsegmentation does; "nearest" leaves them to the first convolution, as
            segmentation-models-pytorch does.
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
    def __call__(self, features: Features, size: tuple[int, int]) -> Features:
        """Returns the features of every stage by stride; those at stride 1 are the finest.

        Args:
            features: maps of the encoder by stride, all strides powers of two.
            size: (height, width) of the image.
        """
        deepest = max(features)
        x, maps = features[deepest], {}
        for level in reversed(range(deepest.bit_length() - 1)):
            stride, name = 2**level, f"stage{level + 1}"
            skip, width = features.get(stride), self.base_features * stride
            if not self.padded:
                target = 2 * x.shape[1], 2 * x.shape[2]
            elif skip is not None:
                target = skip.shape[1], skip.shape[2]
            else:
                target = -(-size[0] // stride), -(-size[1] // stride)
            x = self._upsample(x, target, width, f"{name}_up")
            if skip is not None:
                skip = skip if self.padded else _crop_centre(skip, target)
                x = jnp.concatenate([skip, x], axis=-1)
            halves = self.upsampling == "bilinear"
            narrow = max(width // 2, self.base_features) if halves else width
            x = DoubleConv(width, narrow, self.padded, self.use_bias, norm=self.norm, name=name)(x)
            maps[stride] = x
        return maps

    def _upsample(self, x: Array, size: tuple[int, int], width: int, name: str) -> Array:
        if self.upsampling == "transposed":
            return _fit(UpConv(width, name=name)(x), size)
        if self.upsampling == "nearest":
            return resize_nearest(x, size)
        doubled = 2 * x.shape[1], 2 * x.shape[2]
        x = _fit(resize_bilinear(x, doubled, align_corners=self.align_corners), size)
        if self.upsampling == "bilinear":
            return x
        return ConvNormAct(width, 1, use_bias=self.use_bias, norm=self.norm, name=name)(x)


def _fit(x: Array, size: tuple[int, int]) -> Array:
    """Crops or zero-pads the last row and column: a map is at most one cell off its double."""
    x = x[:, : size[0], : size[1]]
    missing = [(0, want - have) for want, have in zip(size, x.shape[1:3], strict=True)]
    return jnp.pad(x, ((0, 0), *missing, (0, 0)))


def _crop_centre(x: Array, size: tuple[int, int]) -> Array:
    top, left = (x.shape[1] - size[0]) // 2, (x.shape[2] - size[1]) // 2
    return x[:, top : top + size[0], left : left + size[1]]
