"""Random initialisers, built on one draw that `seg_jax.initialise` can make without compiling."""

import math
from collections.abc import Sequence
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

DRAW_NORMAL = "draw_normal"
"""Name of `draw_normal` in traced programs."""


@partial(jax.jit, static_argnames=("shape",))
def draw_normal(key: Array, std: float | Array, *, shape: tuple[int, ...]) -> Float[Array, "..."]:
    """Draws from a normal distribution of mean zero; random initialisers end here.

    `seg_jax.initialise` finds it in traced programs by the name `DRAW_NORMAL` and draws with
    NumPy instead: compiling the generator of every shape takes XLA ten seconds.

    Args:
        key: random key of the parameter.
        std: standard deviation.
        shape: shape of the result.
    """
    return std * jax.random.normal(key, shape, jnp.float32)


def he_normal(key: Array, shape: Sequence[int], dtype: type = jnp.float32) -> Float[Array, "..."]:
    """Initialises a kernel whose last axis is the output so that ReLU keeps the variance.

    The variance is 2 / fan-in (He et al. 2015, arXiv:1502.01852, section 2.2).
    """
    return draw_normal(key, math.sqrt(2 / math.prod(shape[:-1])), shape=tuple(shape)).astype(dtype)


def normal(std: float) -> nn.initializers.Initializer:
    """Returns the initialiser that draws with standard deviation `std` at any shape."""

    def initialiser(key: Array, shape: Sequence[int], dtype: type = jnp.float32) -> Array:
        return draw_normal(key, std, shape=tuple(shape)).astype(dtype)

    return initialiser
