"""Masks of polygons are those of the COCO API, pixel for pixel."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_jax.data.formats import polygons

# pycocotools 2.0.11 decodes by a protocol of arrays that NumPy 2 is retiring.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def coco_mask():
    return pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")


@pytest.fixture(scope="module")
def api_fill():
    """Returns the COCO API's filling of one polygon, which unlike `frPyObjects` takes any."""
    api = pytest.importorskip("pycocotools._mask", reason="pycocotools is not installed")
    return lambda polygon, size: api.decode(api.frPoly([polygon], *size))[..., 0].astype(bool)


def test_a_rectangle():
    expected = np.zeros((5, 7), bool)
    expected[1:3, 2:6] = True
    np.testing.assert_array_equal(polygons.fill([2, 1, 6, 1, 6, 3, 2, 3], (5, 7)), expected)


def test_pixels_passed_over_twice_are_outside_and_several_polygons_unite():
    inner, outer = [2, 2, 4, 2, 4, 4, 2, 4], [0, 0, 6, 0, 6, 6, 0, 6]
    ring = polygons.fill([*outer, 0, 0, *inner, 2, 2], (6, 6))
    assert ring.sum() == 36 - 4
    assert polygons.fill_all([outer, inner], (6, 6)).all()
    assert not polygons.fill_all([], (6, 6)).any()


def test_the_real_annotations(asset, coco_mask):
    content = json.loads(
        (asset("data/coco_sample") / "annotations/instances_train2017.json").read_bytes()
    )
    sizes = {image["id"]: (image["height"], image["width"]) for image in content["images"]}
    objects = [a for a in content["annotations"] if not a["iscrowd"]]
    assert len(objects) > 200
    several = 0
    for thing in objects:
        size = sizes[thing["image_id"]]
        parts = coco_mask.frPyObjects(thing["segmentation"], *size)
        expected = coco_mask.decode(coco_mask.merge(parts)).astype(bool)
        np.testing.assert_array_equal(polygons.fill_all(thing["segmentation"], size), expected)
        several += len(parts) > 1
    assert several > 5


SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))


def outlines(numbers, least=1):
    return st.lists(st.tuples(numbers, numbers), min_size=least, max_size=9).map(
        lambda points: [float(number) for point in points for number in point]
    )


@settings(deadline=None, max_examples=300)
@given(
    # Tenths hit the ties of rounding; few whole numbers make edges of no length.
    polygon=outlines(st.floats(-30, 70))
    | outlines(st.integers(-300, 700).map(lambda tenths: tenths / 10))
    | outlines(st.integers(-2, 5)),
    size=SIZES,
)
def test_any_polygon(api_fill, polygon, size):
    np.testing.assert_array_equal(polygons.fill(polygon, size), api_fill(polygon, size))


@pytest.mark.parametrize(
    "polygon",
    [
        [3.0, 3.0, 9.0, 9.0],  # two points
        [2.0, 2.0, 8.0, 2.0, 5.0, 2.0],  # no area
        [4.0, 4.0],
        [-9.0, -9.0, -2.0, -9.0, -2.0, -2.0],  # outside the image
        [30.0, 2.0, 40.0, 2.0, 40.0, 9.0],
    ],
)
def test_a_polygon_without_pixels(api_fill, polygon):
    assert not polygons.fill(polygon, (12, 12)).any()
    assert not api_fill(polygon, (12, 12)).any()


def test_a_polygon_around_the_image_fills_it():
    assert polygons.fill([-50, -50, 90, -50, 90, 90, -50, 90], (12, 15)).all()
    assert not polygons.fill([], (12, 15)).any()


@pytest.mark.parametrize(
    "polygon",
    [[1, 2, 3], [[1, 2], [3, 4]], [0, 0, float("nan"), 1], [0, 0, float("inf"), 1], [0, 0, 2e5, 0]],
)
def test_what_is_not_a_polygon_is_refused(polygon):
    with pytest.raises(ValueError, match=r"flat list x0, y0.*\+-100000"):
        polygons.fill(np.array(polygon, float), (4, 4))
