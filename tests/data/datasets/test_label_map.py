import numpy as np
import pytest

from seg_jax.data.datasets.label_map import map_values
from seg_jax.data.validate import DataError, Origin

ORIGIN = Origin("toy", "train", "a", "a.jpg", "a.png")


def test_every_value_becomes_its_class():
    values = np.array([[0, 200, 255], [7, 7, 0]], np.uint8)
    ids = map_values(values, {0: 255, 7: 1, 200: 0, 255: 2}, ORIGIN, rule="")
    np.testing.assert_array_equal(ids, [[255, 0, 2], [1, 1, 255]])
    assert ids.dtype == np.uint8


def test_a_value_without_a_class_is_named_with_the_rule():
    values = np.array([[0, 3, 3], [9, 0, 0]], np.uint8)
    message = r"label of example 'a'.*\(a.png\) holds the values \[3, 9\] in 3 pixels. Only 0."
    with pytest.raises(DataError, match=message):
        map_values(values, {0: 0}, ORIGIN, rule="Only 0.")
