"""What scenes are drawn with: random words, shape masks and a pair of canvases; integers only.

The bits of a counter-based generator and integer rasters decide every pixel: no floating
point, no line or circle of a drawing library, hence the same bytes on every machine.
"""

import functools
import itertools
from collections.abc import Iterable
from typing import TypeVar

import numpy as np
from jaxtyping import Bool

from seg_jax.labels import IGNORE_LABEL

Option = TypeVar("Option")


class Dice:
    """Reads integers off a fixed list of random 64-bit words.

    NumPy promises the stream of a bit generator for ever, that of `Generator.integers` not.
    """

    def __init__(self, words: Iterable[int]):
        self._words = iter(words)

    def fork(self, count: int) -> "Dice":
        """Returns dice over the next `count` words, however many of them are then read."""
        return Dice(list(itertools.islice(self._words, count)))

    def between(self, low: int, high: int) -> int:
        """Returns an integer in [low, high]; a larger word never gives a smaller integer."""
        return low + (next(self._words) * (high - low + 1) >> 64)

    def pick(self, options: tuple[Option, ...]) -> Option:
        """Returns one of the options."""
        return options[self.between(0, len(options) - 1)]


class Canvas:
    """Two square pictures drawn at once: rows in a table of colours, and labels.

    Attributes:
        size: height and width in pixels.
        rows: row of the table of colours of every pixel.
        label: class id of every pixel, or IGNORE_LABEL.
    """

    def __init__(self, size: int):
        self.size = size
        self.rows = np.zeros((size, size), np.uint8)
        self.label = np.zeros((size, size), np.uint8)

    def fill(
        self, y: int, x: int, shape: tuple[int, int], row: int | np.ndarray, label: int
    ) -> None:
        """Paints a rectangle of (height, width); `row` may be a pattern that broadcasts to it."""
        window = np.s_[y : y + shape[0], x : x + shape[1]]
        self.rows[window] = row
        self.label[window] = label

    def ignore(self, y: int, x: int, shape: tuple[int, int], band: int) -> None:
        """Stops counting a rectangle and `band` pixels around it, clipped to the picture."""
        top, left = max(y - band, 0), max(x - band, 0)
        self.label[top : y + shape[0] + band, left : x + shape[1] + band] = IGNORE_LABEL

    def stamp(self, shape: str, size: int, y: int, x: int, row: int, label: int, band: int) -> None:
        """Paints a shape with the top left corner of its bounding square at (y, x)."""
        grown = grown_mask(shape, size, band)
        mask = shape_mask(shape, size)
        window = np.s_[y : y + size, x : x + size]
        margin = np.s_[y - band : y + size + band, x - band : x + size + band]
        np.putmask(self.label[margin], grown, IGNORE_LABEL)
        np.putmask(self.label[window], mask, label)
        np.putmask(self.rows[window], mask, row)


@functools.cache
def shape_mask(shape: str, size: int) -> Bool[np.ndarray, "{size} {size}"]:
    """Returns the pixels of a disk, square or triangle that fills a square of `size` pixels."""
    # Twice the offset from the middle is an integer for odd and even sizes alike.
    across = 2 * np.arange(size)[None, :] - (size - 1)
    down = 2 * np.arange(size)[:, None] - (size - 1)
    if shape == "disk":
        return across * across + down * down <= size * size
    if shape == "triangle":
        return 2 * np.abs(across) <= down + (size - 1) + 2
    return np.ones((size, size), bool)


@functools.cache
def grown_mask(shape: str, size: int, band: int) -> Bool[np.ndarray, "n n"]:
    """Returns the mask of a shape grown by `band` pixels in all eight directions."""
    mask = np.pad(shape_mask(shape, size), band)
    for axis in (0, 1):
        shifts = (np.roll(mask, shift, axis) for shift in range(-band, band + 1))
        mask = functools.reduce(np.logical_or, shifts)
    return mask


@functools.cache
def log_sizes(low: int, high: int) -> tuple[int, ...]:
    """Returns 33 integers from `low` to `high` in geometric progression."""
    return tuple(round(low * (high / low) ** (i / 32)) for i in range(33))
