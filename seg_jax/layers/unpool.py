"""2x2 max pooling that remembers where its maxima were, and its inverse (SegNet)."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def _blocks(x: Array) -> Array:
    """Lays out [b, h, w, c] as [b, h / 2, w / 2, 4, c], a 2x2 block on the fourth axis."""
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height // 2, 2, width // 2, 2, channels)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height // 2, width // 2, 4, channels)


def max_pool_indices(
    x: Float[Array, "b h w c"],
) -> tuple[Float[Array, "b h2 w2 c"], Float[Array, "b h2 w2 4 c"]]:
    """Takes the maximum of every 2x2 block; sizes are rounded up.

    Returns:
        The maxima, and a mask that is one where each stood in its block, the first of equals.
    """
    pads = [(0, size % 2) for size in x.shape[1:3]]
    blocks = _blocks(jnp.pad(x, ((0, 0), *pads, (0, 0)), constant_values=-jnp.inf))
    first = jnp.argmax(blocks, axis=3)
    mask = jax.nn.one_hot(first, 4, dtype=x.dtype, axis=3)
    return jnp.max(blocks, axis=3), mask


def max_unpool(
    x: Float[Array, "b h2 w2 c"], mask: Float[Array, "b h2 w2 4 c"], size: tuple[int, int]
) -> Float[Array, "b h w c"]:
    """Puts every value where the maximum of its block stood, and zeros elsewhere.

    Args:
        x: features at the resolution of the pooled map.
        mask: of `max_pool_indices`.
        size: (height, width) of the map before pooling.
    """
    batch, height, width, channels = x.shape
    blocks = (x[:, :, :, None] * mask).reshape(batch, height, width, 2, 2, channels)
    y = blocks.transpose(0, 1, 3, 2, 4, 5).reshape(batch, 2 * height, 2 * width, channels)
    return y[:, : size[0], : size[1]]
