"""The focal loss (arXiv:1708.02002, equation 4) over softmax probabilities."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Integer

from seg_jax.losses.cross_entropy import pixel_nats


def focal(
    logits: Float[Array, "b h w k"],
    labels: Integer[Array, "b h w"],
    weights: Float[Array, "b h w"],
    *,
    gamma: float = 2.0,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Cross-entropy times (1 - p)^gamma, p the probability of the pixel's class.

    The paper's alpha is the class weights' part.

    Args:
        logits: unnormalised class scores.
        labels: class ids; anything where the weight is 0.
        weights: how much a pixel counts; 0 where its label is ignored.
        gamma: how fast what is already right stops counting; 0 is cross-entropy.

    Returns:
        The weighted sum and the sum of the weights.

    Raises:
        ValueError: `gamma` is negative.
    """
    if gamma < 0:
        raise ValueError(
            f"A gamma of {gamma} would reward errors: set config.loss.terms.focal.gamma to 0 or "
            f"more."
        )
    nats = pixel_nats(logits, labels)
    # 1 - p; the floor keeps the slope at 0 finite if gamma < 1.
    wrong = jnp.maximum(-jnp.expm1(-nats), 1e-12)
    return jnp.sum(weights * wrong**gamma * nats), jnp.sum(weights)
