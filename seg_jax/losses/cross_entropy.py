"""Pixel-wise cross-entropy, with label smoothing, as a mean or as FCN's unnormalised sum."""

from typing import Literal

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Integer

from seg_jax.labels import IGNORE_LABEL


def softmax_cross_entropy(
    logits: Float[Array, "b h w k"],
    labels: Integer[Array, "b h w"],
    weights: Float[Array, "b h w"],
    *,
    label_smoothing: float = 0.0,
    reduction: Literal["mean", "sum"] = "mean",
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Cross-entropy summed over the pixels that count.

    With class weights the mean is over the summed weights, as in PyTorch, so that the weights
    shift the balance between classes but not the learning rate.

    Args:
        logits: unnormalised class scores.
        labels: class ids; anything where the weight is 0.
        weights: how much a pixel counts; 0 where its label is ignored.
        label_smoothing: share of the target that is spread over all classes, the true one
            included, in [0, 1) (arXiv:1512.00567, section 7).
        reduction: "mean" over the weights; "sum" reports the weight 0, at which nobody divides:
            the unnormalised sum of FCN, whose learning rates are of the order of 1e-10
            (arXiv:1411.4038, section 4.3).

    Returns:
        The weighted sum in nats and the sum of the weights. Both are summed over devices before
        the division, so a device whose crops are mostly ignored does not weigh as much as the
        others.

    Raises:
        ValueError: `label_smoothing` is out of range.
    """
    if not 0 <= label_smoothing < 1:
        raise ValueError(
            f"A label smoothing of {label_smoothing} leaves nothing of the label: "
            f"set config.loss.terms.cross_entropy.label_smoothing to a value in [0, 1)."
        )
    nats = pixel_nats(logits, labels)
    if label_smoothing > 0:
        spread = -jax.nn.log_softmax(logits.astype(jnp.float32)).mean(axis=-1)
        nats = (1 - label_smoothing) * nats + label_smoothing * spread
    total = jnp.sum(weights * nats)
    return total, jnp.sum(weights) if reduction == "mean" else jnp.zeros_like(total)


def pixel_nats(
    logits: Float[Array, "b h w k"], labels: Integer[Array, "b h w"]
) -> Float[Array, "b h w"]:
    """Cross-entropy of every pixel in nats, that of class 0 where the label is ignored."""
    safe = jnp.where(labels == IGNORE_LABEL, 0, labels.astype(jnp.int32))
    return optax.softmax_cross_entropy_with_integer_labels(logits.astype(jnp.float32), safe)
