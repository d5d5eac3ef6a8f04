"""Thinned membranes part the same cells, by lines; the published ones are in test_metric.py."""

import numpy as np

from seg_jax.metrics.isbi.rand import number_cells
from seg_jax.metrics.isbi.thinning import thin


def test_a_wide_membrane_becomes_a_line():
    cells = np.zeros((6, 9), np.int32)
    cells[:, :2], cells[:, 7:] = 1, 2
    thinned = thin(cells)
    np.testing.assert_array_equal(thinned, np.repeat([[1, 1, 1, 1, 0, 2, 2, 2, 2]], 6, axis=0))


def test_a_membrane_inside_one_cell_is_gone():
    cells = np.ones((7, 7), np.int32)
    cells[2:5, 2:5] = 0
    np.testing.assert_array_equal(thin(cells), np.ones_like(cells))


def test_cells_keep_their_pixels_and_never_touch():
    random = np.random.RandomState(3)
    cells = number_cells(np.kron(random.rand(6, 7) < 0.5, np.ones((4, 4))).astype(bool))
    thinned = thin(cells)
    np.testing.assert_array_equal(thinned[cells > 0], cells[cells > 0])
    for a, b in ((thinned[1:], thinned[:-1]), (thinned[:, 1:], thinned[:, :-1])):
        assert ((a == b) | (a == 0) | (b == 0)).all()
    assert 0 < (thinned == 0).sum() < (cells == 0).sum() / 2


def test_without_cells_the_picture_is_one():
    np.testing.assert_array_equal(thin(np.zeros((2, 3), np.int32)), np.ones((2, 3)))
