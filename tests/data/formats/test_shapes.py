import numpy as np
import pytest

from seg_jax.data.formats import shapes

SIZE = (9, 12)


@pytest.mark.parametrize(("left", "top"), [(0, 0), (3, 2), (-2, -1), (10, 7), (-9, 0), (20, 0)])
def test_a_patch_is_cut_off_at_the_edges(left, top):
    patch = np.random.default_rng(0).integers(0, 2, (4, 5)).astype(bool)
    expected = np.zeros(SIZE, bool)
    for row in range(4):
        for column in range(5):
            y, x = row + top, column + left
            if 0 <= y < SIZE[0] and 0 <= x < SIZE[1]:
                expected[y, x] = patch[row, column]
    np.testing.assert_array_equal(shapes.paste(patch, left, top, SIZE), expected)


def test_a_box_covers_its_pixels_whichever_corners_are_given():
    expected = np.zeros(SIZE, bool)
    expected[2:6, 3:9] = True
    np.testing.assert_array_equal(shapes.box(3.0, 2.0, 9.0, 6.0, SIZE), expected)
    np.testing.assert_array_equal(shapes.box(9.0, 6.0, 3.0, 2.0, SIZE), expected)


def test_an_ellipse_holds_the_pixels_whose_middle_it_holds():
    size, x, y, a, b = (120, 160), 75.3, 61.8, 40.0, 22.0
    rows, columns = np.mgrid[: size[0], : size[1]] + 0.5
    radius = np.hypot((columns - x) / a, (rows - y) / b)
    mask = shapes.ellipse(x, y, a, b, size)
    # Polygons of COCO are rounded to a fifth of a pixel; only pixels at the edge may differ.
    clear = np.abs(radius - 1) > 0.04
    np.testing.assert_array_equal(mask[clear], (radius < 1)[clear])
    assert abs(mask.sum() - np.pi * a * b) < 0.01 * np.pi * a * b
