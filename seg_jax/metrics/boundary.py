"""The band around true class boundaries, where the architectures' decoders differ.

Kohli et al. 2009 restrict the score to a band around the boundary; DeepLab (arXiv:1606.00915,
section 4.1) and DeepLabv3+ (arXiv:1802.02611, section 4.4) do so around VOC's void label.
Here the band lies around every place where the label changes, so it needs no void label.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Integer

from seg_jax.typing import IGNORE_LABEL


def boundary_band(labels: Integer[Array, "b h w"], width: int) -> Bool[Array, "b h w"]:
    """Marks the pixels that have another class within `width` pixels (Chebyshev distance).

    Ignored pixels are no class: they neither make a boundary nor hide one behind them.
    """
    labels = labels.astype(jnp.int32)
    void = labels == IGNORE_LABEL
    window = (1, 2 * width + 1, 2 * width + 1)
    lowest = lax.reduce_window(labels, np.int32(IGNORE_LABEL), lax.min, window, (1, 1, 1), "SAME")
    highest = lax.reduce_window(
        jnp.where(void, -1, labels), np.int32(-1), lax.max, window, (1, 1, 1), "SAME"
    )
    return ~void & (lowest != highest)


def restrict_to_band(labels: Integer[Array, "b h w"], width: int) -> Integer[Array, "b h w"]:
    """Returns `labels` with everything outside the band set to IGNORE_LABEL."""
    ignored = jnp.full_like(labels, IGNORE_LABEL)
    return jnp.where(boundary_band(labels, width), labels, ignored)
