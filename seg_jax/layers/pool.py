"""Max pooling with the padding of PyTorch."""

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
    return lax.reduce_window(
        x,
        np.array(-np.inf, x.dtype),  # not traced: JAX must see that it is the identity of max
        lax.max,
        window_dimensions=(1, window, window, 1),
        window_strides=(1, stride, stride, 1),
        padding=((0, 0), (before, after), (before, after), (0, 0)),
        window_dilation=(1, rate, rate, 1),
    )
