import base64

import cv2
import numpy as np
import pytest
from matplotlib.path import Path as Outline

from seg_jax.data.formats import labelme

HEIGHT, WIDTH = 60, 80


def draw(*given):
    content = {"imageHeight": HEIGHT, "imageWidth": WIDTH, "shapes": list(given)}
    drawing = labelme.drawing(content)
    assert drawing.size == (HEIGHT, WIDTH)
    return list(drawing.masks)


def shape(kind, points, label="leaf", **more):
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, **more}


def middles():
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    return np.stack([columns.ravel(), rows.ravel()], -1)


@pytest.mark.parametrize("kind", ["polygon", None])
@pytest.mark.parametrize("seed", range(4))
def test_a_polygon_holds_the_pixels_whose_middle_it_holds(seed, kind):
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
    radii = rng.uniform(8, 28, 9)
    points = np.stack([40 + radii * np.cos(angles), 30 + radii * np.sin(angles)], -1)
    ((name, mask),) = draw(shape(kind, points.tolist()))
    inside = Outline(points).contains_points(middles()).reshape(HEIGHT, WIDTH)
    # COCO rounds corners to a fifth of a pixel: pixels may differ where an edge passes their
    # middle that closely, which is fewer than one in ten of the outline's length.
    length = np.hypot(*(points - np.roll(points, 1, axis=0)).T).sum()
    assert name == "leaf"
    assert (mask != inside).sum() <= 0.25 * length
    edge = cv2.polylines(np.zeros(mask.shape, np.uint8), [points.round().astype(np.int32)], True, 1)
    near = cv2.dilate(edge, np.ones((3, 3), np.uint8)) > 0
    np.testing.assert_array_equal(mask[~near], inside[~near])


def test_boxes_circles_and_masks_lie_where_they_are_said_to():
    box = shape("rectangle", [[30, 20], [10, 5]], "box")
    circle = shape("circle", [[50, 30], [50, 40]], "circle")
    patch = np.random.default_rng(0).integers(0, 2, (7, 9)).astype(np.uint8)
    png = base64.b64encode(cv2.imencode(".png", patch * 255)[1].tobytes()).decode()
    mask = shape("mask", [[3, 41], [11, 47]], "mask", mask=png)
    drawn = dict(draw(box, circle, mask))
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[5:20, 10:30] = True
    np.testing.assert_array_equal(drawn["box"], expected)
    distance = np.hypot(*(middles() - [50, 30]).T).reshape(HEIGHT, WIDTH)
    clear = np.abs(distance - 10) > 0.4
    np.testing.assert_array_equal(drawn["circle"][clear], (distance < 10)[clear])
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[41:48, 3:12] = patch > 0
    np.testing.assert_array_equal(drawn["mask"], expected)


@pytest.mark.parametrize("kind", ["line", "point", "linestrip"])
def test_what_has_no_area_is_refused(kind):
    with pytest.raises(ValueError, match=f"'leaf' is a {kind}, which has no area"):
        draw(shape(kind, [[1, 1], [5, 5]]))


def test_a_box_of_three_points_is_refused():
    with pytest.raises(ValueError, match="'leaf', a rectangle, has 3 points, but two"):
        draw(shape("rectangle", [[1, 1], [5, 5], [7, 7]]))


def test_damaged_masks_are_refused():
    with pytest.raises(ValueError, match="are not a whole PNG"):
        draw(shape("mask", [[0, 0], [3, 3]], mask=base64.b64encode(b"nothing").decode()))
    large = cv2.imencode(".png", np.zeros((61, 80), np.uint8))[1].tobytes()
    with pytest.raises(ValueError, match=r"61 x 80 px .* is larger than its image"):
        draw(shape("mask", [[0, 0], [3, 3]], mask=base64.b64encode(large).decode()))
