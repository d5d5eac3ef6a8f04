"""What training minimises: the configured losses, on every head, with their factors."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from seg_jax.labels import IGNORE_LABEL
from seg_jax.losses.options import bind_loss
from seg_jax.losses.presence import presence_cross_entropy
from seg_jax.typing import Batch, Outputs, Term

PixelLoss = Callable[..., tuple[Array, Array]]
"""(logits, labels, weights) -> (sum, weight)."""


@dataclasses.dataclass(frozen=True)
class Objective:
    """A weighted sum of losses: (outputs, batch) -> term by name; see `make_objective`.

    Attributes:
        losses: (name, factor, loss) of every configured loss.
        class_weights: how much a pixel counts by its label, 256 numbers; 0 at IGNORE_LABEL.
        aux_weight: factor of every auxiliary head's losses.
        presence_weight: factor of the presence loss.
    """

    losses: tuple[tuple[str, float, PixelLoss], ...]
    class_weights: tuple[float, ...]
    aux_weight: float
    presence_weight: float

    def __call__(self, outputs: Outputs, batch: Batch) -> dict[str, Term]:
        """Measures every loss on every head; a term whose factor is 0 is left out.

        Returns:
            "cross_entropy" for the main head, "cross_entropy/aux" for the auxiliary head "aux",
            and so on for every loss; "presence" where the network gives presence scores.
        """
        labels, weights = batch["label"], self.pixel_weights(batch)
        heads = [("", 1.0, outputs.logits)]
        if self.aux_weight:
            heads += [(f"/{name}", self.aux_weight, logits) for name, logits in outputs.aux.items()]
        terms = {
            f"{name}{suffix}": Term(*loss(logits, labels, weights), factor=factor * head_factor)
            for name, factor, loss in self.losses
            for suffix, head_factor, logits in heads
        }
        if outputs.presence is not None and self.presence_weight:
            total, weight = presence_cross_entropy(outputs.presence, labels)
            terms["presence"] = Term(total, weight, factor=self.presence_weight)
        return terms

    def pixel_weights(self, batch: Batch) -> Float[Array, "b h w"]:
        """Returns how much each pixel counts: U-Net's w(x) (arXiv:1505.04597, equation 2).

        That is the class weight of its label, plus the batch's border map where it holds one;
        0 where the label is ignored.
        """
        weights = jnp.asarray(self.class_weights, jnp.float32)[batch["label"]]
        if "border" in batch:
            weights = jnp.where(batch["label"] == IGNORE_LABEL, 0.0, weights + batch["border"])
        return weights


def make_objective(
    terms: Mapping[str, Mapping[str, Any]],
    *,
    num_classes: int,
    class_weights: Sequence[float] = (),
    aux_weight: float,
    presence_weight: float,
) -> Objective:
    """Builds the objective that `config.loss` describes.

    Args:
        terms: name of a loss -> {"weight": its factor, 1 by default, and its own arguments}.
        num_classes: classes that the network scores.
        class_weights: how much a pixel of each class counts; empty for 1 everywhere.
        aux_weight: factor of every auxiliary head's losses; 0 leaves them out.
        presence_weight: factor of the presence loss; 0 leaves it out.

    Raises:
        ValueError: a loss or one of its arguments is unknown or out of range, no loss has a
            weight, or the class weights are not one finite, non-negative number a class.
    """
    losses = []
    for name, options in terms.items():
        factor, loss = bind_loss(name, options, num_classes=num_classes)
        if factor:
            losses.append((name, factor, loss))
    if not losses:
        raise ValueError(
            "There is nothing to minimise: give config.loss.terms at least one loss whose weight "
            "is not 0."
        )
    for field, value in (("aux_weight", aux_weight), ("presence_weight", presence_weight)):
        if not (np.isfinite(value) and value >= 0):
            raise ValueError(
                f"A loss cannot be weighed by {value}: set config.loss.{field} to a finite "
                f"number that is not negative."
            )
    table = _class_table(class_weights, num_classes)
    return Objective(tuple(losses), table, float(aux_weight), float(presence_weight))


def _class_table(class_weights: Sequence[float], num_classes: int) -> tuple[float, ...]:
    """Returns the weight of every value a label can have; IGNORE_LABEL is of no class."""
    weights = np.asarray(tuple(class_weights) or (1.0,) * num_classes, np.float32)
    if weights.shape != (num_classes,) or not np.isfinite(weights).all() or weights.min() < 0:
        raise ValueError(
            f"Class weights {tuple(class_weights)} are not one finite, non-negative number for "
            f"each of {num_classes} classes: set config.loss.class_weights to that many numbers, "
            f"or to () for equal weights."
        )
    if not weights.any():
        raise ValueError(
            "Every class weight is 0, so no pixel counts: set config.loss.class_weights to () or "
            "give a class a weight."
        )
    return (*weights.tolist(), *(0.0,) * (IGNORE_LABEL + 1 - num_classes))
