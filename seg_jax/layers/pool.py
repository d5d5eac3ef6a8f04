"""Max pooling with the padding of PyTorch."""

import functools

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float


def max_pool(
    x: Float[Array, "b h w c"],
    window: int,
    stride: int,
    padding: int | tuple[int, int],
    *,
    rate: int = 1,
) -> Float[Array, "b h2 w2 c"]:
    """Maximum over square windows; padding never wins.

    Args:
        x: features, channels last.
        window: cells per side of the window.
        stride: step of the output grid in cells of `x`.
        padding: cells added on every side, or (before, after) along both axes. PyTorch's
            `ceil_mode` is one or more extra cells after.
        rate: step between the cells of a window; above 1 where the stride of an earlier
            layer was traded for it.
    """
    before, after = (padding, padding) if isinstance(padding, int) else padding
    if rate > 1:
        return _dilated_max_pool(x, window, stride, before, after, rate)
    return lax.reduce_window(
        x,
        # A NumPy constant: under jit a JAX one is traced, and the window not known as a maximum.
        np.array(-np.inf, x.dtype),
        lax.max,
        window_dimensions=(1, window, window, 1),
        window_strides=(1, stride, stride, 1),
        padding=((0, 0), (before, after), (before, after), (0, 0)),
    )


def _dilated_max_pool(x, window, stride, before, after, rate):
    """Takes the maximum of shifted copies: JAX cannot differentiate dilated windows."""
    x = jnp.pad(x, ((0, 0), (before, after), (before, after), (0, 0)), constant_values=-jnp.inf)
    span = rate * (window - 1)
    height, width = x.shape[1] - span, x.shape[2] - span
    starts = range(0, span + 1, rate)
    rows = [x[:, start : start + height : stride] for start in starts]
    x = functools.reduce(jnp.maximum, rows)
    columns = [x[:, :, start : start + width : stride] for start in starts]
    return functools.reduce(jnp.maximum, columns)
