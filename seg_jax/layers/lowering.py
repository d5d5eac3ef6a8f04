"""Chooses the form in which a convolution is handed to the compiler.

All forms compute the same function with the same zero padding. XLA's convolution is the best
form on accelerators; on a CPU three shapes have a much faster one (measured; see
`_fastest_on_cpu`). The choice is made while a function is traced.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

Lowering = Literal["auto", "lax", "fast"]

Pads = tuple[tuple[int, int], tuple[int, int]]
"""Rows of zeros (above, below) and columns of zeros (left, right) that a convolution adds."""

# A user context rather than a ContextVar: JAX makes it part of the key under which it caches
# compiled functions, so one function called under two lowerings is compiled twice.
_LOWERING = jax.make_user_context("auto")

_TAPS_MIN_RATE = 6
"""Below this rate few taps fall into the padding and XLA's convolution wins."""


@contextmanager
def use_lowering(lowering: Lowering) -> Iterator[None]:
    """Fixes the form of every convolution traced inside the `with` block.

    Args:
        lowering: "lax" always takes XLA's convolution: needed where height or width is
            sharded (the other forms double the number of collectives) and to count FLOPs.
            "fast" takes the CPU forms on any backend. "auto", the default, is "fast" on a
            CPU and "lax" elsewhere.

    Raises:
        ValueError: `lowering` is none of the three.
    """
    if lowering not in ("auto", "lax", "fast"):
        raise ValueError(f"lowering={lowering!r} is not one of 'auto', 'lax', 'fast'.")
    with _LOWERING(lowering):
        yield


def convolve(
    x: Float[Array, "b h w c"],
    kernel: Float[Array, "kh kw i o"],
    *,
    stride: int,
    rate: int,
    groups: int,
    pads: Pads,
) -> Float[Array, "b h2 w2 o"]:
    """Convolves `x`, framed by zeros, where the kernel fits.

    Args:
        x: features, channels last.
        kernel: `c / groups` input channels.
        stride: step of the output grid in cells of `x`.
        rate: step between kernel taps in cells of `x` (atrous rate).
        groups: number of groups the channels are split into; `c` is a depthwise convolution.
        pads: zeros around `x`, see `Pads`.
    """
    lowering = _LOWERING.value
    if lowering == "lax" or (lowering == "auto" and jax.default_backend() != "cpu"):
        return conv_lax(x, kernel, stride=stride, rate=rate, groups=groups, pads=pads)
    return _fastest_on_cpu(x, kernel, stride=stride, rate=rate, groups=groups, pads=pads)


def _fastest_on_cpu(x, kernel, *, stride, rate, groups, pads):
    """Takes the form that was fastest on CPUs, forward and backward, for this shape."""
    height, width, _, features = kernel.shape
    if groups == 1 and height == width == 1 and pads == ((0, 0), (0, 0)):
        return conv_dot(x, kernel, stride=stride)
    if groups == x.shape[-1] == features:
        return conv_shift(x, kernel, stride=stride, rate=rate, pads=pads)
    spans = rate * (height - 1), rate * (width - 1)
    keeps_size = tuple(before + after for before, after in pads) == spans
    if groups == 1 and stride == 1 and rate >= _TAPS_MIN_RATE and keeps_size:
        return conv_taps(x, kernel, rate=rate, pads=pads)
    return conv_lax(x, kernel, stride=stride, rate=rate, groups=groups, pads=pads)


def conv_lax(
    x: Float[Array, "b h w c"],
    kernel: Float[Array, "kh kw i o"],
    *,
    stride: int,
    rate: int,
    groups: int,
    pads: Pads,
) -> Float[Array, "b h2 w2 o"]:
    """XLA's convolution."""
    return lax.conv_general_dilated(
        x,
        kernel,
        window_strides=(stride, stride),
        padding=pads,
        rhs_dilation=(rate, rate),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )


def conv_dot(
    x: Float[Array, "b h w c"], kernel: Float[Array, "1 1 c o"], *, stride: int
) -> Float[Array, "b h2 w2 o"]:
    """A 1x1 convolution as one matrix product over the cells that the stride keeps."""
    return lax.dot_general(x[:, ::stride, ::stride], kernel[0, 0], (((3,), (0,)), ((), ())))


def conv_shift(
    x: Float[Array, "b h w c"],
    kernel: Float[Array, "kh kw 1 c"],
    *,
    stride: int,
    rate: int,
    pads: Pads,
) -> Float[Array, "b h2 w2 c"]:
    """A depthwise convolution as a sum of shifted copies of `x`, each scaled per channel."""
    padded = jnp.pad(x, ((0, 0), *pads, (0, 0)))
    span_h, span_w = (
        (size - rate * (taps - 1) - 1) // stride * stride + 1
        for size, taps in zip(padded.shape[1:3], kernel.shape, strict=False)
    )
    terms = []
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            top, left = i * rate, j * rate
            shifted = padded[:, top : top + span_h : stride, left : left + span_w : stride]
            terms.append(shifted * kernel[None, i : i + 1, j : j + 1, 0])
    return functools.reduce(jnp.add, terms)


def conv_taps(
    x: Float[Array, "b h w c"], kernel: Float[Array, "kh kw c o"], *, rate: int, pads: Pads
) -> Float[Array, "b h w o"]:
    """A convolution as one matrix product per kernel tap, added where the tap meets `x`.

    A tap that would read nothing but padding costs nothing: at rate 18 on a 16 x 16 map only
    the centre of a 3x3 kernel is left (arXiv:1706.05587, section 3.3 and figure 4). The
    padding must keep the size of `x`.
    """
    (pad_h, _), (pad_w, _) = pads
    _, height, width, _ = x.shape
    terms = []
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            down, right = i * rate - pad_h, j * rate - pad_w
            if abs(down) >= height or abs(right) >= width:
                continue
            top, bottom = max(0, -down), min(height, height - down)
            start, end = max(0, -right), min(width, width - right)
            seen = x[:, top + down : bottom + down, start + right : end + right]
            term = lax.dot_general(seen, kernel[i, j], (((3,), (0,)), ((), ())))
            margins = ((0, 0), (top, height - bottom), (start, width - end), (0, 0))
            terms.append(jnp.pad(term, margins))
    return functools.reduce(jnp.add, terms)
