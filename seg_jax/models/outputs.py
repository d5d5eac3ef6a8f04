"""What every architecture does with its image first and with its scores last."""

from collections.abc import Mapping
from typing import Literal, Protocol, runtime_checkable

import jax.numpy as jnp
from jax import Array

from seg_jax.heads.fcn import FCNHead
from seg_jax.layers.norm import Norm
from seg_jax.layers.resize import resize_bilinear
from seg_jax.typing import Outputs

ComputeDtype = Literal["float32", "bfloat16"]
"""Type in which a network computes; parameters, statistics and logits are float32 in both."""


@runtime_checkable
class HasAuxiliaryHead(Protocol):
    """An architecture with the fields that `auxiliary_scores` reads."""

    num_classes: int
    aux: bool
    aux_features: int
    dropout_rate: float


def auxiliary_scores(
    model: HasAuxiliaryHead, features: Array, norm: Norm, *, train: bool
) -> dict[str, Array]:
    """Returns the scores of an `FCNHead` named "aux", or nothing where `model.aux` is not set.

    Called inside the architecture's `__call__`, to which the head then belongs.
    """
    if not model.aux:
        return {}
    head = FCNHead(model.num_classes, model.aux_features, model.dropout_rate, norm=norm, name="aux")
    return {"aux": head(features, train=train)}


def finish(
    logits: Array,
    aux: Mapping[str, Array],
    size: tuple[int, ...],
    *,
    align_corners: bool,
    upsample: bool,
    presence: Array | None = None,
) -> Outputs:
    """Returns the scores of a network as float32 `Outputs`, resized to the image.

    Args:
        logits: class scores [b, h, w, k] at the resolution of the head.
        aux: scores of auxiliary heads by name, each at a resolution of its own.
        size: (height, width) of the image.
        align_corners: convention of the interpolation, see `resize_bilinear`.
        upsample: `False` leaves every map at its own resolution, as references that return
            coarse logits do.
        presence: scores [b, k] of a class being anywhere in the image, where a head gives them.
    """
    height, width = size

    def resized(scores: Array) -> Array:
        scores = scores.astype(jnp.float32)
        if not upsample:
            return scores
        return resize_bilinear(scores, (height, width), align_corners=align_corners)

    return Outputs(
        resized(logits),
        {name: resized(scores) for name, scores in aux.items()},
        None if presence is None else presence.astype(jnp.float32),
    )
