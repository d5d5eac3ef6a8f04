"""Weights of images that resample a score: draws with replacement, and exchanges of two networks.

They come in blocks, so that memory stays bounded whatever the number of images and resamples.
`shape` is that of the rows they are to be multiplied with: n images, m counters.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from jaxtyping import Float

Counters = Mapping[str, np.ndarray]
"""Name -> counters with images, or sums over images, along the first axis."""

_BLOCK = 2**21
"""Numbers in the largest temporary array; 16 MB in float64."""


def as_rows(counters: Counters) -> Float[np.ndarray, "n m"]:
    """Returns the counters of an image as one row; float64 is exact for integers below 2**53."""
    rows = [values.reshape(len(values), -1) for values in counters.values()]
    return np.concatenate(rows, axis=1, dtype=np.float64)


def by_name(sums: Float[np.ndarray, "r m"], like: Counters) -> dict[str, np.ndarray]:
    """Takes rows as `as_rows` makes them apart again."""
    named, begin = {}, 0
    for name, values in like.items():
        end = begin + int(np.prod(values.shape[1:]))
        named[name] = sums[:, begin:end].reshape(-1, *values.shape[1:])
        begin = end
    return named


def _blocks(rows: int, shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Yields (begin, end) of ranges of `rows` such that temporary arrays stay small."""
    size = max(1, _BLOCK // max(shape))
    for begin in range(0, rows, size):
        yield begin, min(begin + size, rows)


def draws(shape: tuple[int, ...], resamples: int, seed: int) -> Iterator[Float[np.ndarray, "r n"]]:
    """Yields how often each of n images occurs in draws of n images with replacement."""
    rng, count = np.random.default_rng((seed, 0)), shape[0]
    for begin, end in _blocks(resamples, shape):
        rows = end - begin
        drawn = rng.integers(count, size=(rows, count)) + count * np.arange(rows)[:, None]
        occurs = np.bincount(drawn.reshape(-1), minlength=rows * count)
        yield occurs.reshape(rows, count).astype(np.float64)


def exchanges(
    shape: tuple[int, ...], resamples: int, seed: int
) -> Iterator[Float[np.ndarray, "r n"]]:
    """Yields which of n images are exchanged: every choice, or where these are too many, some."""
    rng, count = np.random.default_rng((seed, 1)), shape[0]
    exact = 2**count <= resamples
    for begin, end in _blocks(2**count if exact else resamples, shape):
        if exact:
            chosen = np.arange(begin, end)[:, None] >> np.arange(count) & 1
        else:
            chosen = rng.integers(2, size=(end - begin, count), dtype=np.uint8)
        yield chosen.astype(np.float64)
