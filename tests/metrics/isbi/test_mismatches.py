"""Splits and merges in pictures whose errors can be seen."""

import numpy as np
import pytest

from seg_jax.metrics.isbi.mismatches import count_splits_and_merges


def picture(*rows):
    return np.array([[pixel == "#" for pixel in row] for row in rows])


@pytest.mark.parametrize(
    ("warped", "prediction", "errors"),
    [
        (("##.##", "##.##", "##.##"), ("##.##", "#####", "##.##"), 1),  # merged by a gap
        (("##.##", "##.##", "##.##"), ("#####", "#####", "##.##"), 2),  # a gap of two pixels
        (("##.##", "#####", "##.##"), ("##.##", "##.##", "##.##"), 1),  # split
        (("#####", "#####", "#####"), ("#####", "##.##", "#####"), 0),  # a hole more
        (("#####", "##.##", "#####"), ("#####", "#####", "#####"), 0),  # a hole less
        ((".....", ".....", "....."), (".....", "..#..", "....."), 0),  # a cell more
        ((".....", "..#..", "....."), (".....", ".....", "....."), 0),  # a cell less
        (("#####", "#..##", "#####"), ("#####", "#.###", "#####"), 0),  # a hole's size
        (("##.", ".#.", ".##"), ("##.", "...", ".##"), 1),  # split, one id around
    ],
)
def test_errors_are_counted_by_pixels(warped, prediction, errors):
    assert count_splits_and_merges(picture(*warped), picture(*prediction)) == errors


@pytest.mark.parametrize(("length", "errors"), [(19, 0), (20, 1)])
def test_a_way_round_a_missing_link_counts_within_20_pixels(length, errors):
    """Two arms, joined at one end by the link and at the other by an end piece."""
    ring = np.zeros((7, 60), bool)
    ring[2, 4 : 5 + length] = ring[4, 4 : 5 + length] = True
    ring[2:5, 4] = ring[2:5, 4 + length + 1] = True
    ring[2, 4 + length + 1] = ring[4, 4 + length + 1] = True
    without = ring.copy()
    without[3, 4] = False
    assert count_splits_and_merges(ring, without) == errors
    # The other way about, a link added makes a hole, however far the way round.
    assert count_splits_and_merges(without, ring) == 0


def test_the_outside_of_the_picture_is_no_neighbour():
    warped = np.ones((1, 5), bool)
    prediction = warped.copy()
    prediction[0, 2] = False
    # Both neighbours belong to one cell, and no membrane is in sight: as the evaluator has
    # it, taking the pixel away adds a hole.
    assert count_splits_and_merges(warped, prediction) == 0
