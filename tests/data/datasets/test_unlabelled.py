import cv2
import numpy as np
import pytest

from seg_jax.data.datasets.unlabelled import ignore_all
from seg_jax.data.items import Item
from seg_jax.data.validate import DataError, Origin, encode_png

ORIGIN = Origin("toy", "test", "a", "a.png")


@pytest.mark.parametrize("instances", [True, False])
def test_every_pixel_of_the_image_is_ignored(tmp_path, instances):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((5, 7, 3), np.uint8))
    ids, numbers, image = ignore_all(Item("a", tmp_path / "a.png"), ORIGIN, instances=instances)
    np.testing.assert_array_equal(ids, np.full((5, 7), 255))
    assert image is None
    if instances:
        np.testing.assert_array_equal(numbers, np.zeros((5, 7)))
    else:
        assert numbers is None


def test_a_converted_image_is_passed_on(tmp_path):
    image = encode_png(np.zeros((3, 4), np.uint8))
    parts = ignore_all(Item("a", tmp_path / "stack.tif"), ORIGIN, image=image)
    assert parts.ids.shape == (3, 4)
    assert parts.image == image


def test_a_damaged_image_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"image of example 'a'.*a.png.*cannot be decoded"):
        ignore_all(Item("a", tmp_path / "a.png"), ORIGIN)
