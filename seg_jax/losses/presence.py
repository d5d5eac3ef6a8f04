"""Which classes an image shows: the semantic encoding loss of EncNet (arXiv:1803.08904, 3.1)."""

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Integer


def presence_cross_entropy(
    scores: Float[Array, "b k"], labels: Integer[Array, "b h w"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Binary cross-entropy of a class being anywhere in the image, summed.

    Args:
        scores: logits per image and class, `Outputs.presence`.
        labels: class ids; ignored pixels are those of no class.

    Returns:
        The sum in nats and the number of images times classes it is over.
    """
    num_classes = scores.shape[-1]
    present = jax.nn.one_hot(labels, num_classes, dtype=jnp.float32).max(axis=(1, 2))
    nats = optax.sigmoid_binary_cross_entropy(scores.astype(jnp.float32), present)
    return jnp.sum(nats), jnp.float32(nats.size)
