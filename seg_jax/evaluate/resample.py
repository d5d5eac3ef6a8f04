"""Logits brought to the size of the label, which differs from row to row of a batch.

Sizes are values here and not shapes: the host says, for every row and column of a label, which
two of the logits lie around it and how far it is between them. So one program serves all
images whose arrays are equally large, and two values are read where a product with an
interpolation matrix would sum over all.
"""

import jax.numpy as jnp
from jax import vmap
from jaxtyping import Array, Float, Int

from seg_jax.typing import Logits


def resample(
    logits: Logits,
    row_pair: Int[Array, "b h2 2"],
    row_part: Float[Array, "b h2"],
    column_pair: Int[Array, "b w2 2"],
    column_part: Float[Array, "b w2"],
) -> Float[Array, "b h2 w2 k"]:
    """Interpolates between two rows, then between two columns.

    Args:
        logits: before.
        row_pair: for every row of the result the two around it.
        row_part: how far it is from the first to the second, in [0, 1).
        column_pair: the same for columns.
        column_part: the same for columns.
    """
    part = row_part[:, :, None, None]
    x = _take(logits, row_pair[..., 0], 0) * (1 - part) + _take(logits, row_pair[..., 1], 0) * part
    part = column_part[:, None, :, None]
    return _take(x, column_pair[..., 0], 1) * (1 - part) + _take(x, column_pair[..., 1], 1) * part


def _take(x: Float[Array, "b h w k"], index: Int[Array, "b n"], axis: int) -> Array:
    return vmap(lambda row, where: jnp.take(row, where, axis=axis, mode="clip"))(x, index)
