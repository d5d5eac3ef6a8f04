"""Resizing; bilinear as two products with constant interpolation matrices.

That form gives both conventions of the corners and has a fast gradient everywhere: a
gather is up to 30 times slower backward, and FCN's fixed bilinear transposed convolution,
the same linear map in the interior, is unusably slow on CPUs.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float


def interpolation_matrix(
    size_in: int, size_out: int, *, align_corners: bool, scale: float | None = None
) -> Float[np.ndarray, "{size_out} {size_in}"]:
    """Returns the matrix that resamples a line of `size_in` cells to `size_out` cells.

    Row i holds the linear interpolation weights of output cell i, which sum to one.

    Args:
        size_in: cells before.
        size_out: cells after.
        align_corners: `True` puts the centres of the first and the last cells of both lines
            on each other; `False` aligns their outer edges and repeats the border.
        scale: cells after per cell before, where it is not the ratio of the sizes: at scale
            0.75 a line of 65 cells becomes one of 48, whose outer edges are not aligned. Not
            read with `align_corners`.
    """
    cells = np.arange(size_out)
    if align_corners:
        source = cells * ((size_in - 1) / max(size_out - 1, 1))
    else:
        step = size_in / size_out if scale is None else 1 / scale
        source = np.clip((cells + 0.5) * step - 0.5, 0, size_in - 1)
    left = np.floor(source).astype(int).clip(max=size_in - 1)
    right = np.minimum(left + 1, size_in - 1)
    matrix = np.zeros((size_out, size_in))
    np.add.at(matrix, (cells, left), 1 - (source - left))
    np.add.at(matrix, (cells, right), source - left)
    return matrix


RESIZE_BILINEAR = "resize_bilinear"
"""Name of `resize_bilinear` in traced programs; its matrix products are no layer's FLOPs."""


@partial(jax.jit, static_argnames=("size", "align_corners", "scale"))
def resize_bilinear(
    x: Float[Array, "b h w c"],
    size: tuple[int, int],
    *,
    align_corners: bool,
    scale: float | None = None,
) -> Float[Array, "b h2 w2 c"]:
    """Resizes features or logits to `size`, without low-pass filtering when it shrinks them.

    A jitted function of its own, so that `describe.count_flops` can leave it out by name.

    Args:
        x: features, channels last.
        size: (height, width) of the result.
        align_corners: convention of the sampling grid, as in PyTorch. Published numbers
            differ in it, so there is no default.
        scale: see `interpolation_matrix`.
    """
    # On accelerators the default precision would round the weights to 10 bits or fewer.
    precision = lax.Precision.HIGHEST
    if size[0] != x.shape[1]:
        rows = interpolation_matrix(x.shape[1], size[0], align_corners=align_corners, scale=scale)
        x = jnp.einsum("yh,bhwc->bywc", jnp.asarray(rows, x.dtype), x, precision=precision)
    if size[1] != x.shape[2]:
        columns = interpolation_matrix(
            x.shape[2], size[1], align_corners=align_corners, scale=scale
        )
        x = jnp.einsum("zw,bywc->byzc", jnp.asarray(columns, x.dtype), x, precision=precision)
    return x


def resize_nearest(x: Float[Array, "b h w c"], size: tuple[int, int]) -> Float[Array, "b h2 w2 c"]:
    """Resizes features to `size` by repeating cells, as PyTorch's "nearest" does.

    Cell i of the result is cell floor(i * before / after).
    """
    for axis, after in zip((1, 2), size, strict=True):
        before = x.shape[axis]
        if after % before == 0:
            x = jnp.repeat(x, after // before, axis=axis)
        else:
            x = jnp.take(x, np.arange(after) * before // after, axis=axis)
    return x
