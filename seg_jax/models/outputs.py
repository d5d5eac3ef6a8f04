"""What every architecture does with its image first and with its scores last."""

from collections.abc import Mapping
from typing import Literal

import jax.numpy as jnp
from jax import Array

from seg_jax.layers.resize import resize_bilinear
from seg_jax.typing import Outputs

ComputeDtype = Literal["float32", "bfloat16"]
"""Type in which a network computes; parameters, statistics and logits are float32 in both."""


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
