import base64
import zlib

import cv2
import numpy as np
import pytest

from seg_jax.data.formats import supervisely

HEIGHT, WIDTH = 40, 60


def draw(*objects):
    content = {"size": {"height": HEIGHT, "width": WIDTH}, "objects": list(objects)}
    return list(supervisely.drawing(content).masks)


def drawn(kind, exterior, interior=()):
    thing = {
        "classTitle": "leaf",
        "geometryType": kind,
        "points": {"exterior": exterior, "interior": list(interior)},
    }
    ((name, mask),) = draw(thing)
    assert name == "leaf"
    return mask


def bitmap(patch, left, top):
    png = cv2.imencode(".png", patch)[1].tobytes()
    data = base64.b64encode(zlib.compress(png)).decode()
    return {
        "classTitle": "stem",
        "geometryType": "bitmap",
        "bitmap": {"origin": [left, top], "data": data},
    }


def test_outlines_are_pixels_and_belong_to_the_shape():
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[5:21, 10:31] = True
    corners = [[10, 5], [30, 5], [30, 20], [10, 20]]
    np.testing.assert_array_equal(drawn("polygon", corners), expected)
    np.testing.assert_array_equal(drawn("rectangle", [[10, 5], [30, 20]]), expected)
    expected[8:11, 15:19] = False
    hole = [[15, 8], [18, 8], [18, 10], [15, 10]]
    np.testing.assert_array_equal(drawn("polygon", corners, [hole]), expected)


@pytest.mark.parametrize("channels", [1, 4])
def test_bitmaps_lie_at_their_origin(channels):
    patch = np.random.default_rng(0).integers(0, 2, (6, 9)).astype(np.uint8) * 255
    picture = patch if channels == 1 else np.stack([patch * 0 + 9] * 3 + [patch], -1)
    ((name, mask),) = draw(bitmap(picture, 20, 30))
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[30:36, 20:29] = patch > 0
    assert name == "stem"
    np.testing.assert_array_equal(mask, expected)


def test_what_has_no_area_or_is_damaged_is_refused():
    with pytest.raises(ValueError, match="'leaf' is a line, which has no area"):
        drawn("line", [[1, 1], [5, 5]])
    with pytest.raises(ValueError, match="'leaf', a rectangle, has 3 points"):
        drawn("rectangle", [[1, 1], [5, 5], [7, 7]])
    thing = bitmap(np.zeros((3, 3), np.uint8), 0, 0)
    thing["bitmap"]["data"] = base64.b64encode(b"nothing").decode()
    with pytest.raises(ValueError, match="the bitmap of 'stem' is damaged"):
        draw(thing)
    thing["bitmap"]["data"] = base64.b64encode(zlib.compress(b"nothing")).decode()
    with pytest.raises(ValueError, match="are not a whole PNG"):
        draw(thing)


def test_a_bitmap_that_unpacks_to_much_more_than_its_image_stops_there(monkeypatch):
    unpacked = []
    original = supervisely.shapes.decode_patch

    def spy(png, *rest):
        unpacked.append(len(png))
        return original(png, *rest)

    monkeypatch.setattr(supervisely.shapes, "decode_patch", spy)
    thing = bitmap(np.zeros((3, 3), np.uint8), 0, 0)
    thing["bitmap"]["data"] = base64.b64encode(zlib.compress(bytes(50_000_000))).decode()
    with pytest.raises(ValueError, match="are not a whole PNG"):
        draw(thing)
    assert unpacked[0] < 100_000
