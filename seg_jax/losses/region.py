"""Losses of overlap: soft Dice, Tversky and Jaccard, per image and class.

The sum is over an image's classes that its labels show and the weight is their number, over
all images: classes that no pixel shows have no overlap to measure, and what is wrongly given
to them lacks elsewhere. Each image counts by itself, so that the loss of a batch does not
depend on how it is split over devices. A pixel's weight multiplies it in every sum.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Integer


def dice(
    logits: Float[Array, "b h w k"],
    labels: Integer[Array, "b h w"],
    weights: Float[Array, "b h w"],
    *,
    smooth: float = 0.0,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """1 - (2 sum(p t) + smooth) / (sum(p) + sum(t) + smooth), p the probability of a class.

    V-Net's loss (arXiv:1606.04797) with probabilities that are not squared below the line.

    Args:
        logits: unnormalised class scores.
        labels: class ids; anything where the weight is 0.
        weights: how much a pixel counts; 0 where its label is ignored.
        smooth: pixels added above and below the line; softens classes of a few pixels.
            As in MONAI; segmentation_models_pytorch adds it to half of each, so twice as much.

    Returns:
        The sum over images and the classes they show, and their number.

    Raises:
        ValueError: `smooth` is negative.
    """
    return _overlap_loss(logits, labels, weights, 0.5, 0.5, smooth / 2, name="dice")


def jaccard(
    logits: Float[Array, "b h w k"],
    labels: Integer[Array, "b h w"],
    weights: Float[Array, "b h w"],
    *,
    smooth: float = 0.0,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """1 - (I + smooth) / (sum(p) + sum(t) - I + smooth), I = sum(p t): the soft IoU.

    Args:
        logits: unnormalised class scores.
        labels: class ids; anything where the weight is 0.
        weights: how much a pixel counts; 0 where its label is ignored.
        smooth: pixels added above and below the line; softens classes of a few pixels.

    Returns:
        The sum over images and the classes they show, and their number.

    Raises:
        ValueError: `smooth` is negative.
    """
    return _overlap_loss(logits, labels, weights, 1.0, 1.0, smooth, name="jaccard")


def tversky(
    logits: Float[Array, "b h w k"],
    labels: Integer[Array, "b h w"],
    weights: Float[Array, "b h w"],
    *,
    alpha: float = 0.3,
    beta: float = 0.7,
    smooth: float = 0.0,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """1 - (I + smooth) / (I + alpha FP + beta FN + smooth) (arXiv:1706.05721, equation 3).

    Args:
        logits: unnormalised class scores.
        labels: class ids; anything where the weight is 0.
        weights: how much a pixel counts; 0 where its label is ignored.
        alpha: what a false positive costs; 0.3 is the paper's best.
        beta: what a false negative costs; 0.7 is the paper's best.
        smooth: pixels added above and below the line; softens classes of a few pixels.

    Returns:
        The sum over images and the classes they show, and their number.

    Raises:
        ValueError: an argument is negative.
    """
    for argument, value in (("alpha", alpha), ("beta", beta)):
        if value < 0:
            raise ValueError(
                f"An error cannot cost {value}: set config.loss.terms.tversky.{argument} to 0 or "
                f"more."
            )
    return _overlap_loss(logits, labels, weights, alpha, beta, smooth, name="tversky")


def _overlap_loss(
    logits: Float[Array, "b h w k"],
    labels: Integer[Array, "b h w"],
    weights: Float[Array, "b h w"],
    alpha: float,
    beta: float,
    smooth: float,
    *,
    name: str,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """1 - Tversky's index, of which Dice's and Jaccard's are special cases."""
    if smooth < 0:
        raise ValueError(
            f"{smooth} pixels cannot be added: set config.loss.terms.{name}.smooth to 0 or more."
        )
    given = jax.nn.softmax(logits.astype(jnp.float32)) * weights[..., None]
    true = jax.nn.one_hot(labels, logits.shape[-1], dtype=jnp.float32)
    both = jnp.sum(given * true, axis=(1, 2))
    size = jnp.sum(weights[..., None] * true, axis=(1, 2))
    false_positive = jnp.sum(given * (1 - true), axis=(1, 2))
    false_negative = jnp.sum((weights[..., None] - given) * true, axis=(1, 2))
    shown = size > 0
    below = both + alpha * false_positive + beta * false_negative + smooth
    index = (both + smooth) / jnp.where(shown, below, 1.0)
    return jnp.sum(1 - index, where=shown), jnp.sum(shown, dtype=jnp.float32)
