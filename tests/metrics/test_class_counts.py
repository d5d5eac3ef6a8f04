"""Scores of many matrices at once are the scores of each."""

import numpy as np
import pytest

from seg_jax.metrics.class_counts import class_counts, class_scores
from seg_jax.metrics.confusion import scores

NAMES = ("miou", "pixel_accuracy", "mean_accuracy", "frequency_weighted_iou")


def test_they_are_those_of_one_matrix():
    rng = np.random.default_rng(0)
    confusion = rng.integers(0, 50, (20, 5, 5))
    confusion[1, 3], confusion[1, :, 3] = 0, 0  # in neither
    confusion[2, 3] = 0  # predicted, never there
    confusion[3, :, 3] = 0  # there, never predicted
    confusion[4] = 0  # nothing counted
    found = class_scores(class_counts(confusion))
    assert set(found) == set(NAMES)
    for row, matrix in enumerate(confusion):
        expected = scores(matrix)
        for name in NAMES:
            assert found[name][row] == pytest.approx(getattr(expected, name), nan_ok=True)


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.uint8])
def test_counts_are_float64_that_add_up(kind):
    confusion = np.full((3, 2, 2), 200, kind)
    counts = class_counts(confusion)
    assert {name: values.dtype for name, values in counts.items()} == dict.fromkeys(
        ("hits", "labelled", "predicted"), np.float64
    )
    np.testing.assert_array_equal(counts["hits"], np.full((3, 2), 200))
    np.testing.assert_array_equal(counts["labelled"], np.full((3, 2), 400))


def test_rows_are_labels():
    counts = class_counts(np.array([[[5, 2], [0, 1]]]))
    np.testing.assert_array_equal(counts["labelled"], [[7, 1]])
    np.testing.assert_array_equal(counts["predicted"], [[5, 3]])
    np.testing.assert_array_equal(counts["hits"], [[5, 1]])
