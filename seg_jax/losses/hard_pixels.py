"""Cross-entropy of each image's hardest pixels: online hard example mining and bootstrapping.

Both choose per image and average over the pixels chosen, whose weights they report; which
pixels those are has no gradient. Published codes choose over the batch of one device, so that
what is learned depends on how the batch is split over devices.
"""

import math

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Integer

from seg_jax.losses.cross_entropy import pixel_nats


def ohem_cross_entropy(
    logits: Float[Array, "b h w k"],
    labels: Integer[Array, "b h w"],
    weights: Float[Array, "b h w"],
    *,
    threshold: float = 0.7,
    min_kept: int = 100_000,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Cross-entropy of the pixels whose true class is given too small a probability.

    Online hard example mining (arXiv:1604.03540) as segmentation does it since OCNet
    (arXiv:1809.00916), with the defaults of mmsegmentation's `OHEMPixelSampler`.

    Args:
        logits: unnormalised class scores.
        labels: class ids; anything where the weight is 0.
        weights: how much a pixel counts; 0 where its label is ignored.
        threshold: probability of the true class below which a pixel is kept, in (0, 1].
        min_kept: pixels that are kept in every image, the hardest ones, however easy; all of
            them where an image holds fewer that count.

    Returns:
        The weighted sum in nats over the pixels kept and the sum of their weights.

    Raises:
        ValueError: an argument is out of range.
    """
    if not 0 < threshold <= 1:
        raise ValueError(
            f"A threshold of {threshold} is not a probability: set "
            f"config.loss.terms.ohem.threshold to a value in (0, 1]."
        )
    if min_kept < 0:
        raise ValueError(
            f"Fewer than 0 pixels ({min_kept}) cannot be kept: set "
            f"config.loss.terms.ohem.min_kept to 0 or more."
        )
    nats = pixel_nats(logits, labels)
    hardness = jnp.where(weights > 0, nats, -jnp.inf)
    kept = hardness > -math.log(threshold)
    if min_kept > 0:
        count = jnp.full(nats.shape[:1], min_kept, jnp.int32)
        kept |= _among_largest(hardness, count)
    return _weighted(nats, jnp.where(kept, weights, 0.0))


def top_k_cross_entropy(
    logits: Float[Array, "b h w k"],
    labels: Integer[Array, "b h w"],
    weights: Float[Array, "b h w"],
    *,
    share: float = 0.25,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Cross-entropy of a share of each image's pixels, those of the largest loss.

    Bootstrapped cross-entropy (arXiv:1605.06457, section 3.1) with the number of pixels as a
    share, as DeepLab's `top_k_percent_pixels`. The weights enter the choice, too, as there.

    Args:
        logits: unnormalised class scores.
        labels: class ids; anything where the weight is 0.
        weights: how much a pixel counts; 0 where its label is ignored.
        share: part of an image's pixels that count to be kept, in (0, 1], rounded up.

    Returns:
        The weighted sum in nats over the pixels kept and the sum of their weights.

    Raises:
        ValueError: `share` is out of range.
    """
    if not 0 < share <= 1:
        raise ValueError(
            f"A share of {share} of the pixels cannot be kept: set config.loss.terms.top_k.share "
            f"to a value in (0, 1]."
        )
    nats = pixel_nats(logits, labels)
    counts = weights > 0
    number = jnp.ceil(share * counts.sum(axis=(1, 2), dtype=jnp.float32)).astype(jnp.int32)
    kept = _among_largest(jnp.where(counts, weights * nats, -jnp.inf), number)
    return _weighted(nats, jnp.where(kept, weights, 0.0))


def _among_largest(
    values: Float[Array, "b h w"], count: Integer[Array, " b"]
) -> Bool[Array, "b h w"]:
    """Returns whether a value is one of its image's `count` largest; equal ones share the rank."""
    flat = lax.stop_gradient(values).reshape(values.shape[0], -1)
    ranked = jnp.sort(flat, axis=1, descending=True)
    last = jnp.clip(count - 1, 0, flat.shape[1] - 1)
    smallest = jnp.take_along_axis(ranked, last[:, None], axis=1)[:, :, None]
    return values >= smallest


def _weighted(
    nats: Float[Array, "b h w"], weights: Float[Array, "b h w"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    return jnp.sum(weights * nats), jnp.sum(weights)
