"""Average pooling to a fixed grid, for maps of any size."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

POOL_ADAPTIVE = "pool_adaptive"
"""Name of `pool_adaptive` in traced programs; its matrix products are no layer's FLOPs."""


def averaging_matrix(size: int, bins: int) -> Float[np.ndarray, "{bins} {size}"]:
    """Returns the matrix that averages a line of `size` cells into `bins` bins.

    Bin i covers the cells from floor(i * size / bins) to ceil((i + 1) * size / bins), as in
    PyTorch: where `bins` does not divide `size`, bins overlap.
    """
    matrix = np.zeros((bins, size))
    for i in range(bins):
        first, end = i * size // bins, -(-(i + 1) * size // bins)
        matrix[i, first:end] = 1 / (end - first)
    return matrix


@partial(jax.jit, static_argnames=("bins",))
def pool_adaptive(x: Float[Array, "b h w c"], bins: int) -> Float[Array, "b {bins} {bins} c"]:
    """Averages features over a grid of `bins` x `bins` regions.

    A jitted function of its own, so that `describe.count_flops` can leave it out by name.
    """
    precision = lax.Precision.HIGHEST
    rows = jnp.asarray(averaging_matrix(x.shape[1], bins), x.dtype)
    columns = jnp.asarray(averaging_matrix(x.shape[2], bins), x.dtype)
    x = jnp.einsum("yh,bhwc->bywc", rows, x, precision=precision)
    return jnp.einsum("zw,bywc->byzc", columns, x, precision=precision)
