"""Counts the pixels by which a prediction splits or merges the cells of a warped label.

The classification of the class WarpingError in https://github.com/fiji/Trainable_Segmentation
(`classifyMismatches2d`), of which the challenge counts two kinds.
"""

import numpy as np
from jaxtyping import Bool

from seg_jax.metrics.isbi.rand import number_cells

RADIUS = 20
"""Pixels around a mismatch in which the challenge's script looks for a way round a split."""

_OUTSIDE = -1


def count_splits_and_merges(
    warped: Bool[np.ndarray, "h w"], prediction: Bool[np.ndarray, "h w"]
) -> int:
    """Returns how many pixels that differ stand between cells that one of the two joins.

    Such a pixel touches two cells (8 neighbours), or is the last link, within RADIUS, between
    two parts of one.
    """
    rows, columns = np.nonzero(warped != prediction)
    numbers = np.pad(number_cells(warped), 1, constant_values=_OUTSIDE)
    near = np.sort(
        np.stack(
            [
                numbers[rows + i, columns + j]
                for i in (0, 1, 2)
                for j in (0, 1, 2)
                if (i, j) != (1, 1)
            ]
        ),
        axis=0,
    )
    # Sorted, so that every id after the first counts where it differs from the one before.
    fresh = np.vstack([near[:1] >= 0, (near[1:] != near[:-1]) & (near[1:] >= 0)])
    distinct = fresh.sum(axis=0)
    certain = int(np.count_nonzero(distinct > 2))
    doubtful = (distinct == 2) & warped[rows, columns]
    framed = np.pad(warped, RADIUS)
    places = zip(rows[doubtful].tolist(), columns[doubtful].tolist(), strict=True)
    return certain + sum(_splits(framed, row, column) for row, column in places)


def _splits(framed: np.ndarray, row: int, column: int) -> bool:
    """Tells whether its square falls into more than one cell beside a pixel taken away."""
    side = 2 * RADIUS + 1
    square = framed[row : row + side, column : column + side].copy()
    square[RADIUS, RADIUS] = False
    around = number_cells(square)[RADIUS - 1 : RADIUS + 2, RADIUS - 1 : RADIUS + 2]
    return np.unique(around).size > 2
