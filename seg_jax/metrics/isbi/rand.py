"""The Rand index of two segmentations into cells, where the label has cells.

Arganda-Carreras et al. 2015 (Frontiers in Neuroanatomy 9:142, "Foreground-restricted Rand
scoring"), with the n^2 normalisation of the class RandError in
https://github.com/fiji/Trainable_Segmentation: pairs are ordered and a pixel pairs with itself.
"""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Int


class Pairs(NamedTuple):
    """Numbers of pairs of pixels that lie in cells of the label.

    Attributes:
        joint: those in one cell of both segmentations.
        predicted: those in one cell of the prediction.
        label: those in one cell of the label.
    """

    joint: int
    predicted: int
    label: int


def count_pairs(label: Int[np.ndarray, "h w"], predicted: Int[np.ndarray, "h w"]) -> Pairs:
    """Counts pairs, given the number of the cell at every pixel, 0 for membranes.

    A pixel that is predicted as membrane, though it lies in a cell, is a cell of its own.
    """
    inside = label > 0
    rows, columns = label[inside].astype(np.int64), predicted[inside].astype(np.int64)
    alone = int(np.count_nonzero(columns == 0))
    cells, sizes = np.unique(rows * (predicted.max() + 1) + columns, return_counts=True)
    sizes = sizes[cells % (predicted.max() + 1) > 0]
    return Pairs(
        joint=_squares(sizes) + alone,
        predicted=_squares(np.bincount(columns)[1:]) + alone,
        label=_squares(np.bincount(rows)[1:]),
    )


def number_cells(cells: Bool[np.ndarray, "h w"]) -> Int[np.ndarray, "h w"]:
    """Returns the number of the 4-connected region of cell pixels, from 1; 0 at membranes."""
    return cv2.connectedComponents(cells.astype(np.uint8), connectivity=4)[1]


def _squares(sizes: np.ndarray) -> int:
    return int((sizes.astype(np.int64) ** 2).sum())
