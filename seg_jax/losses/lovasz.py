"""The Lovasz-softmax loss (arXiv:1705.08790): IoU's extension to probabilities, per image.

The slope of the extension is written as what one more wrong pixel changes, not as the
difference of two neighbouring Jaccard losses: in float32 that difference has lost its digits
in an image of a million pixels.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Integer


def lovasz_softmax(
    logits: Float[Array, "b h w k"],
    labels: Integer[Array, "b h w"],
    weights: Float[Array, "b h w"],
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Lovasz extension of 1 - IoU, summed over images and the classes that they show.

    A pixel counts or does not: how large its weight is makes no difference, as the loss is
    defined on sets of pixels. Images are worked on one after the other and again in the
    gradient, for the memory of sorting every pixel for every class.

    Args:
        logits: unnormalised class scores.
        labels: class ids; anything where the weight is 0.
        weights: 0 where the pixel does not count.

    Returns:
        The sum over images and the classes they show, and their number.
    """
    k = logits.shape[-1]
    given = jax.nn.softmax(logits.astype(jnp.float32)).reshape(logits.shape[0], -1, k)
    counts = (weights > 0).reshape(logits.shape[0], -1)
    classes = jnp.arange(k)

    @jax.checkpoint
    def image_loss(image):
        given, labels, counts = image
        true = (labels[:, None].astype(jnp.int32) == classes[None]) & counts[:, None]
        losses = jax.vmap(_class_loss, in_axes=(1, 1, None))(given, true, counts)
        shown = true.any(axis=0)
        return losses.sum(), shown.sum(dtype=jnp.float32)

    sums, numbers = lax.map(image_loss, (given, labels.reshape(counts.shape), counts))
    return sums.sum(), numbers.sum()


def _class_loss(given: Array, true: Array, counts: Array) -> Array:
    """The extension for one class: sorted errors times the rise of 1 - IoU at each.

    Pixels that do not count have the error 0, which adds nothing and comes last; a class that
    no pixel shows has no intersection to lose and the loss 0.
    """
    errors = jnp.where(counts, jnp.where(true, 1 - given, given), 0.0)
    order = jnp.argsort(lax.stop_gradient(errors), descending=True)
    hit = true[order]
    # The first i pixels wrong: the intersection lost the true ones among them, the union
    # gained the others.
    size = true.sum(dtype=jnp.float32)
    intersection = size - jnp.cumsum(hit, dtype=jnp.float32)
    union = size + jnp.cumsum(~hit, dtype=jnp.float32)
    before = jnp.maximum(union - 1, 1)
    rise = jnp.where(hit, 1.0, intersection / before) / union
    return errors[order] @ rise
