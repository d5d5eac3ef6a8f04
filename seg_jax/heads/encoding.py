"""The context encoding of EncNet (Zhang et al. 2018, arXiv:1803.08904, section 3.1, figure 2)."""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seg_jax.layers.conv import Conv, ConvNormAct
from seg_jax.layers.dropout import Dropout
from seg_jax.layers.init import draw_normal
from seg_jax.layers.norm import Norm
from seg_jax.layers.resize import resize_bilinear


def _codewords_init(key: Array, shape: tuple[int, int]) -> Array:
    return draw_normal(key, (3 * shape[0] * shape[1]) ** -0.5, shape=shape)


class Encoding(nn.Module):
    """Assigns every cell softly to codewords and adds up the residuals.

    Parameters: `codewords` [num_codes, c], and `scale` [num_codes], the factors on squared
    distances, initially -1/2; near ones draw a cell where they are negative.

    Attributes:
        num_codes: number of codewords.
    """

    num_codes: int

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b {self.num_codes} c"]:
        """Returns the aggregated residuals of every codeword."""
        batch, height, width, channels = x.shape
        codewords = self.param("codewords", _codewords_init, (self.num_codes, channels))
        scale = self.param("scale", nn.initializers.constant(-0.5), (self.num_codes,))
        # Differences of large numbers and exponentials of them: not in 16 bits.
        cells = x.reshape(batch, height * width, channels).astype(jnp.float32)
        # |x - d|^2 from its three terms: the residuals of every pair do not fit into memory.
        products = jnp.einsum("bnc,kc->bnk", cells, codewords)
        squares = jnp.sum(cells**2, axis=-1)[:, :, None]
        distances = squares - 2 * products + jnp.sum(codewords**2, axis=-1)[None, None, :]
        weights = jax.nn.softmax(scale[None, None, :] * distances, axis=-1)
        sums = jnp.einsum("bnk,bnc->bkc", weights, cells)
        residuals = sums - jnp.sum(weights, axis=1)[:, :, None] * codewords[None]
        return residuals.astype(x.dtype)


class ContextEncoding(nn.Module):
    """Scales channels by what the whole image encodes, and says which classes it shows.

    Attributes:
        num_classes: classes of `presence`; `None` leaves it out.
        num_codes: number of codewords.
        norm: normalisation factory.
    """

    num_classes: int | None
    num_codes: int
    norm: Norm = dataclasses.field(kw_only=True)

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"]
    ) -> tuple[Float[Array, "b h w c"], Float[Array, "b k"] | None]:
        """Returns relu(x + gate * x), and the presence scores."""
        channels = x.shape[-1]
        projected = ConvNormAct(channels, 1, norm=self.norm, name="project")(x)
        residuals = Encoding(self.num_codes, name="encoding")(projected)
        # Normalised per codeword: they stand on the axis that holds channels elsewhere.
        residuals = self.norm(name="norm")(residuals.transpose(0, 2, 1))
        encoded = jnp.mean(jax.nn.relu(residuals), axis=-1)
        gate = jax.nn.sigmoid(nn.Dense(channels, dtype=x.dtype, name="gate")(encoded))
        presence = None
        if self.num_classes is not None:
            presence = nn.Dense(self.num_classes, dtype=x.dtype, name="presence")(encoded)
        return jax.nn.relu(x + x * gate[:, None, None, :]), presence


class EncHead(nn.Module):
    """A convolution, the context encoding, dropout and the classifier.

    Attributes:
        num_classes: channels of the result.
        features: channels inside the head.
        kernel_size: side of the first kernel; 1 behind a JPU in the authors' FastFCN.
        num_codes: number of codewords.
        presence: adds the scores of a class being in the image.
        lateral: joins projections of earlier stages in front of the encoding.
        align_corners: convention of the interpolation that brings those to one size.
        dropout_rate: share of the features dropped in front of the classifier.
        norm: normalisation factory.
    """

    num_classes: int
    features: int
    dropout_rate: float
    kernel_size: int = 3
    num_codes: int = 32
    presence: bool = True
    lateral: bool = False
    align_corners: bool = True
    norm: Norm = dataclasses.field(kw_only=True)

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], earlier: list[Array], *, train: bool
    ) -> tuple[Float[Array, "b h w {self.num_classes}"], Float[Array, "b k"] | None]:
        """Returns logits at the resolution of `x`, and the presence scores.

        Args:
            x: features.
            earlier: maps of earlier stages, read by `lateral`.
            train: drops features out.
        """
        x = ConvNormAct(self.features, self.kernel_size, norm=self.norm, name="conv")(x)
        if self.lateral:
            parts, size = [x], x.shape[1:3]
            for i, features in enumerate(earlier, start=1):
                connect = ConvNormAct(self.features, 1, norm=self.norm, name=f"lateral{i}")
                part = resize_bilinear(connect(features), size, align_corners=self.align_corners)
                parts.append(part)
            x = jnp.concatenate(parts, axis=-1)
            x = ConvNormAct(self.features, norm=self.norm, name="fusion")(x)
        num_classes = self.num_classes if self.presence else None
        encode = ContextEncoding(num_classes, self.num_codes, norm=self.norm, name="context")
        x, presence = encode(x)
        x = Dropout(self.dropout_rate, deterministic=not train)(x)
        return Conv(self.num_classes, 1, name="classifier")(x), presence
