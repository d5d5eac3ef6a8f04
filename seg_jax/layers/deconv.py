"""Learned upsampling: the up-convolution of U-Net (arXiv:1505.04597, section 2)."""

import math

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from seg_jax.layers.init import draw_normal


def _kernel_init(key: Array, shape: tuple[int, ...]) -> Array:
    # He normal; every output cell sees one tap, so the fan-in is that of a 1x1 convolution.
    return draw_normal(key, math.sqrt(2 / shape[2]), shape=shape)


class UpConv(nn.Module):
    """2x2 transposed convolution of stride 2: doubles height and width.

    Windows do not overlap, so it is one matrix product per cell whose result is laid out as
    a 2x2 block; compilers do that faster than a general transposed convolution.

    Parameters: `kernel` [2, 2, c, features], indexed by (row, column) inside the block, and
    `bias` [features], initially zero.

    Attributes:
        features: output channels.
    """

    features: int

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b 2*h 2*w {self.features}"]:
        """Upsamples `x` twofold."""
        batch, height, width, channels = x.shape
        kernel = self.param("kernel", _kernel_init, (2, 2, channels, self.features))
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        y = jnp.einsum("bhwc,ijcf->bhiwjf", x, jnp.asarray(kernel, x.dtype))
        y = y.reshape(batch, 2 * height, 2 * width, self.features)
        return y + jnp.asarray(bias, x.dtype)[None, None, None, :]
