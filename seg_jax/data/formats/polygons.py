"""Polygons as masks, pixel for pixel those of the COCO API.

Masks of COCO are by convention what its `rleFrPoly` makes of a polygon (Lin et al.,
arXiv:1405.0312; https://github.com/cocodataset/cocoapi, common/maskApi.c), and scores are
only comparable on the same pixels. Its rule: scale by 5 and round; walk along every edge in
unit steps of the longer axis; wherever the walk passes the middle of a pixel column, mark
the row at which it does; in each column, pixels after an odd number of marks are inside.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

_SCALE = 5
"""Sub-pixels a pixel; odd, so that a column has a middle sub-pixel."""

REACH_PX = 100_000
"""How far from the image a vertex may lie; the work grows with the length of the outline."""

Polygon = Sequence[Any] | np.ndarray
"""x0, y0, x1, y1, ... in pixels, as a file gives them: `fill` checks that they are numbers."""

Walk = Int[np.ndarray, " steps"]
Marks = Int[np.ndarray, " marks"]


def fill(polygon: Polygon, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """Returns the pixels inside a polygon; where it crosses itself, those inside oddly often.

    Args:
        polygon: its vertices, (0, 0) the corner of the image; it closes by itself.
        size: (height, width) of the mask; the polygon may reach beyond.

    Raises:
        ValueError: the numbers are not pairs of x and y within REACH_PX.
    """
    height, width = size
    mask = np.zeros((width, height), bool)
    column, row = _marks(*_walk(_vertices(polygon)), size)
    if column.size:
        first, last = column.min(), column.max() + 1
        # Columns are independent: each has an even number of marks.
        place = np.sort((column - first) * height + row)
        edges = np.concatenate([[0], place, [(last - first) * height]])
        inside = np.arange(edges.size - 1) % 2 == 1
        mask[first:last] = np.repeat(inside, np.diff(edges)).reshape(-1, height)
    return mask.T


def fill_all(polygons: Iterable[Polygon], size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """Returns the pixels inside any of the polygons: an object in several pieces.

    Raises:
        ValueError: the numbers of a polygon are not pairs of x and y within REACH_PX.
    """
    height, width = size
    mask = np.zeros((width, height), bool).T
    for polygon in polygons:
        mask |= fill(polygon, size)
    return mask


def _vertices(polygon: Polygon) -> Float[np.ndarray, "n 2"]:
    points = np.asarray(polygon, np.float64)
    if points.ndim != 1 or points.size % 2 or not (np.abs(points) <= REACH_PX).all():
        raise ValueError(
            f"A polygon is a flat list x0, y0, x1, y1, ... of numbers within +-{REACH_PX}, but "
            f"this one begins with {np.ravel(points)[:4].tolist()} and has shape {points.shape}."
        )
    return points.reshape(-1, 2)


def _walk(vertices: Float[np.ndarray, "n 2"]) -> tuple[Walk, Walk]:
    """Returns the sub-pixels (x, y) passed along the outline, both ends of every edge included."""
    # C truncates towards zero, which is not rounding left of and above the image.
    start = np.trunc(_SCALE * vertices + 0.5).astype(np.int64)
    end = np.roll(start, -1, axis=0)
    across, down = np.abs(end - start).T
    steep = across < down
    steps = np.maximum(across, down)
    major = np.where(steep, start[:, 1], start[:, 0])
    major_end = np.where(steep, end[:, 1], end[:, 0])
    minor = np.where(steep, start[:, 0], start[:, 1])
    minor_end = np.where(steep, end[:, 0], end[:, 1])
    # An edge is walked from its smaller end and then reversed, so that the common edge of two
    # polygons passes the same sub-pixels in both.
    flip = major > major_end
    low, low_minor = np.where(flip, major_end, major), np.where(flip, minor_end, minor)
    rise = np.where(flip, minor - minor_end, minor_end - minor)
    slope = rise / np.maximum(steps, 1)

    lengths = steps + 1
    total = int(lengths.sum())
    edge = np.repeat(np.arange(lengths.size), lengths)
    step = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    step = np.where(flip[edge], steps[edge] - step, step)
    along = low[edge] + step
    beside = np.trunc(low_minor[edge] + slope[edge] * step + 0.5).astype(np.int64)
    swap = steep[edge]
    return np.where(swap, beside, along), np.where(swap, along, beside)


def _marks(x: Walk, y: Walk, size: tuple[int, int]) -> tuple[Marks, Marks]:
    """Returns the pixel columns whose middle the walk passes, and the row of each passing."""
    height, width = size
    left = np.minimum(x[1:], x[:-1])
    # A walk moves by one sub-pixel in x, so it passes the middle, _SCALE // 2, from there.
    passing = (x[1:] != x[:-1]) & (left % _SCALE == _SCALE // 2)
    column = left[passing] // _SCALE
    top = np.minimum(y[1:], y[:-1])[passing]
    row = np.ceil((top + 0.5) / _SCALE - 0.5).clip(0, height).astype(np.int64)
    visible = (column >= 0) & (column < width)
    return column[visible], row[visible]
