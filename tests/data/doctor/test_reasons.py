"""Each mistake that leaves odd values is told from the others by the values alone."""

import cv2
import numpy as np
import pytest

from seg_jax.data.datasets.camvid import SPEC
from seg_jax.data.doctor.reasons import binary_cause, colours_cause, values_cause
from seg_jax.data.spec import DatasetSpec

THREE = DatasetSpec(
    name="three",
    classes=("a", "b", "c"),
    palette=((0, 0, 0), (128, 0, 0), (0, 128, 0)),
    licence="",
    citation="",
    splits={},
)
CITY = DatasetSpec(
    name="city",
    classes=tuple(map(str, range(19))),
    palette=((1, 2, 3),) * 19,
    licence="",
    citation="",
    splits={},
)


@pytest.mark.parametrize(
    ("values", "spec", "cause"),
    [
        ([1, 2, 3], THREE, "counted from 1"),
        ([0, 1, 2, 3], THREE, "3 is one above the last class"),
        ([0, 1, 2, 3, 255], THREE, "3 is one above the last class"),
        ([0, 127, 254], THREE, "multiples of 127"),
        ([0, 50, 100, 150], THREE, "multiples of 50"),
        ([0, 85, 170, 255], THREE, "multiples of 85"),
        ([0, 38, 75], THREE, "grey levels of the dataset's colours"),
        ([4, 7, 8, 11, 23, 33], CITY, "label ids of Cityscapes"),
        ([*range(3), *range(60, 100)], THREE, "resized with interpolation"),
        ([0, 1, 9], THREE, "Map 9 to classes 0..2 or to 255"),
    ],
)
def test_values(values, spec, cause):
    assert cause in values_cause(dict.fromkeys(values, 5), spec)


def test_grey_levels_of_a_palette_are_those_that_opencv_makes():
    colours = np.array([SPEC.palette], np.uint8)
    grey = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
    cause = values_cause(dict.fromkeys(map(int, np.unique(grey)), 1), SPEC)
    assert "grey levels of the dataset's colours" in cause


@pytest.mark.parametrize(
    ("colours", "cause"),
    [
        ([(1, 1, 1), (2, 2, 2)], "channels are equal"),
        ([(0, 0, 0), (128, 0, 0)], "2 colours are those of the dataset's palette"),
        ([(0, 0, 0), (9, 9, 200)], "It has 2 colours, one a class"),
        ([(i % 256, i // 2, 7) for i in range(300)], "300 colours: a photograph"),
    ],
)
def test_colours(colours, cause):
    assert cause in colours_cause(np.array([colours], np.uint8), THREE.palette)


def test_binary_masks_are_0_and_255_and_nothing_else():
    assert "binary" in binary_cause([5, 0, 0, 3], 3)
    assert not binary_cause([5, 1, 0, 3], 3)  # another class
    assert not binary_cause([5, 0, 0, 0], 3)  # nothing is ignored
    assert not binary_cause([0, 0, 0, 3], 3)  # all is ignored
    assert not binary_cause([5, 3], 1)  # one class: 255 can only mean ignored
