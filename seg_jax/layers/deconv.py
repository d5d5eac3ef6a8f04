"""Transposed convolutions: the up-convolution of U-Net and the interpolation of FCN."""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seg_jax.layers.init import draw_normal
from seg_jax.layers.lowering import convolve
from seg_jax.layers.resize import interpolation_matrix


def _kernel_init(key: Array, shape: tuple[int, ...]) -> Array:
    # He normal; every output cell sees one tap, so the fan-in is that of a 1x1 convolution.
    return draw_normal(key, math.sqrt(2 / shape[2]), shape=shape)


class UpConv(nn.Module):
    """2x2 transposed convolution of stride 2 (arXiv:1505.04597, section 2).

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


def _bilinear_init(key: Array, shape: tuple[int, ...]) -> Array:
    """Returns the kernel that interpolates every channel on its own; `key` is not read."""
    del key
    size, _, channels, features = shape
    # A cell's tent, two cells wide: what interpolation makes of one cell between two zeros.
    tent = interpolation_matrix(3, 3 * size // 2, align_corners=False)[size // 4 :][:size, 1]
    kernel = jnp.asarray(tent[:, None] * tent[None, :], jnp.float32)
    return kernel[:, :, None, None] * jnp.eye(channels, features)[None, None]


class BilinearUpConv(nn.Module):
    """Transposed convolution of stride `factor` with a kernel twice as wide, without a bias.

    It starts as bilinear interpolation (Long et al. 2015, arXiv:1411.4038, section 3.3).
    Unlike `resize_bilinear` it lets the map fall to zero over its border: the result has
    `factor` * (size + 1) cells, of which the caller crops.

    Computed as one 2x2 convolution whose channels are the cells of a block: general
    transposed convolutions of such widths are unusably slow on CPUs.

    Parameter: [2 * factor, 2 * factor, c, features], named `kernel` if it is learned, else
    `interpolation`, which gets no gradient and which optimisers do not decay.

    Attributes:
        features: output channels.
        factor: cells of the output per cell of the input.
        learned: trains the kernel.
    """

    features: int
    factor: int
    learned: bool

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 {self.features}"]:
        """Upsamples `x`."""
        batch, height, width, channels = x.shape
        side = 2 * self.factor
        shape = (side, side, channels, self.features)
        if self.learned:
            kernel = self.param("kernel", _bilinear_init, shape)
        else:
            kernel = jax.lax.stop_gradient(self.param("interpolation", _bilinear_init, shape))
        blocks = kernel.reshape(2, self.factor, 2, self.factor, channels, self.features)
        # A cell reaches its own block with the first half of the kernel, the next with the second.
        blocks = blocks[::-1, :, ::-1].transpose(0, 2, 4, 1, 3, 5).reshape(2, 2, channels, -1)
        pads = ((1, 1), (1, 1))
        y = convolve(x, jnp.asarray(blocks, x.dtype), stride=1, rate=1, groups=1, pads=pads)
        y = y.reshape(batch, height + 1, width + 1, self.factor, self.factor, self.features)
        y = y.transpose(0, 1, 3, 2, 4, 5)
        return y.reshape(batch, self.factor * (height + 1), self.factor * (width + 1), -1)
