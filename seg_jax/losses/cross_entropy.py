"""Pixel-wise cross-entropy. Every loss returns (sum, weight); the train step divides once."""

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Integer

from seg_jax.labels import IGNORE_LABEL


def softmax_cross_entropy(
    logits: Float[Array, "b h w k"], labels: Integer[Array, "b h w"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Cross-entropy summed over the pixels that count.

    Returns:
        The sum in nats and the number of pixels whose label is not IGNORE_LABEL. Both are
        summed over devices before the division, so a device whose crops are mostly ignored
        does not weigh as much as the others.
    """
    valid = labels != IGNORE_LABEL
    safe = jnp.where(valid, labels.astype(jnp.int32), 0)
    nats = optax.softmax_cross_entropy_with_integer_labels(logits.astype(jnp.float32), safe)
    return jnp.sum(nats, where=valid), jnp.sum(valid, dtype=jnp.float32)
