"""The band around true class boundaries, where the architectures' decoders differ.

Kohli et al. 2009 restrict the score to a band around the boundary; DeepLab (arXiv:1606.00915,
section 4.1) and DeepLabv3+ (arXiv:1802.02611, section 4.4) do so around VOC's void label.
Here the band lies around every place where the label changes, so it needs no void label.
"""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Integer

from seg_jax.labels import IGNORE_LABEL


def boundary_band(labels: Integer[Array, "b h w"], width: int) -> Bool[Array, "b h w"]:
    """Marks the pixels that have another class within `width` pixels (Chebyshev distance).

    Ignored pixels are no class: they neither make a boundary nor hide one behind them.
    """
    labels = labels.astype(jnp.int32)
    void = labels == IGNORE_LABEL
    lowest = _sweep(labels, width, lax.min, IGNORE_LABEL)
    highest = _sweep(jnp.where(void, -1, labels), width, lax.max, -1)
    return ~void & (lowest != highest)


def _sweep(
    labels: Integer[Array, "b h w"], width: int, pick: Callable, identity: int
) -> Integer[Array, "b h w"]:
    """Returns the least or greatest label of each square window, rows first, then columns."""
    side = 2 * width + 1
    for window in ((1, side, 1), (1, 1, side)):
        labels = lax.reduce_window(labels, np.int32(identity), pick, window, (1, 1, 1), "SAME")
    return labels


def restrict_to_band(labels: Integer[Array, "b h w"], width: int) -> Integer[Array, "b h w"]:
    """Returns `labels` with everything outside the band set to IGNORE_LABEL."""
    ignored = jnp.full_like(labels, IGNORE_LABEL)
    return jnp.where(boundary_band(labels, width), labels, ignored)
