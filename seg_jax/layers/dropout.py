"""Dropout whose masks belong to the rows of the global batch."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array, lax

from seg_jax.typing import DEVICE_AXIS


class Dropout(nn.Module):
    """Zeroes a share of the features in training and scales up the others (Srivastava et al. 2014).

    The mask of an image is a function of the key and of the image's place in the global batch:
    one device and many, which hold different rows, drop the same features.

    Attributes:
        rate: share of the features dropped, in [0, 1).
        deterministic: drops nothing.
    """

    rate: float
    deterministic: bool

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Drops features of `x` [b, ...]."""
        if self.deterministic or not self.rate:
            return x
        rows = _first_row(x.shape[0]) + jnp.arange(x.shape[0])
        keys = jax.vmap(jax.random.fold_in, in_axes=(None, 0))(self.make_rng("dropout"), rows)
        keep = jax.vmap(lambda key: jax.random.bernoulli(key, 1 - self.rate, x.shape[1:]))(keys)
        return jnp.where(keep, x / (1 - self.rate), jnp.zeros_like(x))


def _first_row(rows: int) -> Array | int:
    """Returns the place in the global batch of the first of a device's rows."""
    try:
        return lax.axis_index(DEVICE_AXIS) * rows
    except NameError:  # not inside a function that is mapped over devices
        return 0
