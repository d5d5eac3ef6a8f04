"""What 0 over 0 is, and what means leave out."""

import numpy as np

from seg_jax.metrics.ratios import by_class, count_ids, divide, mean_of_known


def test_nothing_over_nothing_is_nan_and_left_out_of_the_mean():
    values = divide(np.array([1, 0, 0]), np.array([2, 0, 4]))
    np.testing.assert_array_equal(values, [0.5, np.nan, 0.0])
    assert mean_of_known(values) == 0.25
    assert np.isnan(mean_of_known(np.array([np.nan])))


def test_rows_are_divided_by_one_number():
    np.testing.assert_array_equal(divide(np.array([2, 4]), np.int64(4)), [0.5, 1.0])


def test_ids_are_counted_up_to_the_last_class():
    np.testing.assert_array_equal(count_ids(np.array([[0, 2], [2, 2]], np.uint8), 4), [1, 0, 3, 0])


def test_a_score_per_class_bears_its_name():
    scores = by_class("iou", np.array([0.5, 1.0]), ("a", "b"))
    assert scores == {"iou": 0.75, "iou/a": 0.5, "iou/b": 1.0}
