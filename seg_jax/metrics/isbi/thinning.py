"""Thins predicted membranes to lines, so that the width they were drawn in does not count.

Arganda-Carreras et al. 2015 thin by a watershed (Soille and Vincent 1990) of the thresholded
prediction, cells at height 0 and membranes at height 1. Where a line comes to lie depends on
the order in which pixels are visited; it is that of the class WatershedTransform2D in
https://github.com/fiji/Trainable_Segmentation, column by column.
"""

from collections import deque

import numpy as np
from jaxtyping import Int

_LINE, _OUTSIDE, _DRY, _QUEUED = 0, -1, -2, -3


def thin(cells: Int[np.ndarray, "h w"]) -> Int[np.ndarray, "h w"]:
    """Grows numbered cells over the membranes, 0, until lines of 0 are left between them.

    A picture without any cell becomes a single one.
    """
    if not cells.any():
        return np.ones_like(cells)
    columns = np.pad(np.where(cells > 0, cells, _DRY).T, 1, constant_values=_OUTSIDE)
    stride = columns.shape[1]
    numbers = columns.reshape(-1).tolist()
    _flood(numbers, (-stride, -1, stride, 1), _shore(columns))
    return np.asarray(numbers, cells.dtype).reshape(columns.shape)[1:-1, 1:-1].T


def _shore(columns: np.ndarray) -> list[int]:
    """Returns the membrane pixels beside a cell, in order."""
    wet = columns > 0
    beside = np.zeros_like(wet)
    beside[1:-1] |= wet[:-2] | wet[2:]
    beside[:, 1:-1] |= wet[:, :-2] | wet[:, 2:]
    return np.flatnonzero(beside & (columns == _DRY)).tolist()


def _flood(numbers: list[int], neighbours: tuple[int, ...], shore: list[int]) -> None:
    """Floods membranes from the shore on; a pixel between two waters becomes a line.

    Of a pixel that meets a line first, the published algorithm lets any water wash the line
    away, until a line was made by two waters.
    """
    for pixel in shore:
        numbers[pixel] = _QUEUED
    queue, washable = deque(shore), False
    while queue:
        pixel = queue.popleft()
        own = _QUEUED
        for step in neighbours:
            other = numbers[pixel + step]
            if other > 0:
                if own == _QUEUED or (own == _LINE and washable):
                    own = other
                elif own > 0 and own != other:
                    own, washable = _LINE, False
            elif other == _LINE:
                if own == _QUEUED:
                    own, washable = _LINE, True
            elif other == _DRY:
                numbers[pixel + step] = _QUEUED
                queue.append(pixel + step)
        numbers[pixel] = own
