"""Pairs of pixels against two loops over all pixels."""

import numpy as np

from seg_jax.metrics.isbi.rand import count_pairs, number_cells


def test_pairs_equal_a_loop_over_pairs():
    random = np.random.RandomState(0)
    label, predicted = (random.randint(0, 4, (7, 6)).astype(np.int32) for _ in range(2))
    pixels = [(a, b) for a, b in zip(label.flat, predicted.flat, strict=True) if a]
    joint = same = truth = 0
    for i, (a, b) in enumerate(pixels):
        for j, (c, d) in enumerate(pixels):
            # A pixel predicted as membrane is together with itself alone.
            together = b == d if b else i == j
            truth += a == c
            same += together
            joint += together and a == c
    assert count_pairs(label, predicted) == (joint, same, truth)
    assert joint < same


def test_large_cells_do_not_overflow():
    one = np.ones((300, 300), np.int32)
    assert count_pairs(one, one) == (90_000**2,) * 3


def test_cells_touch_by_their_sides_only():
    cells = np.array([[1, 0, 1], [0, 1, 1]], bool)
    np.testing.assert_array_equal(number_cells(cells), [[1, 0, 2], [0, 2, 2]])
