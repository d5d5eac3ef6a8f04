import cv2
import numpy as np
import pytest

from seg_jax.data.formats.panoptic import class_ids, decode_segments
from seg_jax.data.validate import DataError, Origin
from seg_jax.labels import IGNORE_LABEL

ORIGIN = Origin("toy", "train", "one", "one.jpg", "one.png")


def png(pixels):
    return cv2.imencode(".png", pixels)[1].tobytes()


def test_red_is_the_lowest_byte():
    rgb = np.array([[[7, 0, 0], [1, 2, 0], [3, 4, 5], [0, 0, 0], [255, 255, 255]]], np.uint8)
    segments = decode_segments(png(rgb[..., ::-1]), ORIGIN)
    assert segments.tolist() == [[7, 513, 3 + 4 * 256 + 5 * 65536, 0, 2**24 - 1]]


def test_segments_become_classes_and_the_rest_void():
    segments = np.array([[9, 9, 4], [0, 70_000, 4]], np.int32)
    # Segment 12 is listed and has no pixels, as small ones lose theirs.
    classes = class_ids(segments, {70_000: 2, 4: 0, 9: 131, 12: 5}, ORIGIN)
    assert classes.tolist() == [[131, 131, 0], [IGNORE_LABEL, 2, 0]]
    assert (class_ids(np.zeros((2, 2), np.int32), {}, ORIGIN) == IGNORE_LABEL).all()


def test_segments_that_are_not_listed_are_named():
    segments = np.array([[9, 5, 99_999], [0, 5, 9]], np.int32)
    with pytest.raises(DataError, match=r"one.png.*\[5, 99999\] in 3 pixels.*segments_info"):
        class_ids(segments, {9: 1}, ORIGIN)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cannot be decoded"),
        (png(np.zeros((9, 9, 3), np.uint8))[:-30], "cannot be decoded"),
        (png(np.zeros((2, 2), np.uint8)), r"\(2, 2\) and uint8 values.*three 8-bit channels"),
        (png(np.zeros((2, 2, 3), np.uint16)), "uint16 values.*three 8-bit channels"),
        (png(np.zeros((2, 2, 4), np.uint8)), r"\(2, 2, 4\)"),
    ],
)
def test_other_pictures_are_refused(data, message):
    with pytest.raises(DataError, match=rf"label of example 'one' of toy.*{message}"):
        decode_segments(data, ORIGIN)
