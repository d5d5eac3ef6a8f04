"""Where a pixel comes from, against formulas in plain loops, and what is sampled there."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_jax.data.augment import PAD_COLOR
from seg_jax.data.augment.crop import Span, choose_window, cut, pad
from seg_jax.data.augment.geometry import resample, source_points
from seg_jax.data.augment.layers import Layers
from seg_jax.labels import IGNORE_LABEL

STILL = np.zeros((2, 3, 3), np.float32)
STRAIGHT = (False, False)


def whole(height, width):
    return Span(0, height, height), Span(0, width, width)


def points(size, **changes):
    fields = {"window": whole(*size), "mirrored": STRAIGHT, "angle": 0.0, "vectors": STILL}
    return source_points(size, **(fields | changes))


def cubic(values, place):
    """Catmull and Rom's polynomial through the two neighbours on either side, ends repeated."""
    left = math.floor(place)
    a, b, c, d = (values[min(max(left + k, 0), len(values) - 1)] for k in (-1, 0, 1, 2))
    t = place - left
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))


def test_displacements_are_bicubic_between_the_points_of_the_grid():
    vectors = np.random.default_rng(0).standard_normal((2, 3, 3)).astype(np.float32) * 10
    size = (9, 14)
    shifts = points(size, vectors=vectors) - points(size)
    for y in range(size[0]):
        for x in range(size[1]):
            row, column = (y + 0.5) / size[0] * 2, (x + 0.5) / size[1] * 2
            for axis in (0, 1):
                lines = [cubic(vectors[axis, k], column) for k in range(3)]
                assert shifts[axis, y, x] == pytest.approx(cubic(lines, row), abs=1e-4)


def test_the_displacement_at_the_centre_is_the_middle_vector_and_smooth_around_it():
    vectors = np.zeros((2, 3, 3), np.float32)
    vectors[:, 1, 1] = 10, -4
    shifts = points((201, 301), vectors=vectors) - points((201, 301))
    np.testing.assert_allclose(shifts[:, 100, 150], (10, -4), atol=1e-4)
    assert np.abs(np.diff(shifts, axis=1)).max() < 0.3  # 10 pixels over 100
    assert np.abs(shifts[:, [0, 0, -1, -1], [0, -1, 0, -1]]).max() < 0.2


@pytest.mark.parametrize("mirrored", [(False, False), (True, False), (False, True), (True, True)])
def test_a_pixel_is_followed_back_through_deformation_rotation_flips_and_window(mirrored):
    size, window, angle = (7, 10), (Span(3, 17, 5), Span(4, 13, 10)), 33.0
    vectors = np.random.default_rng(1).standard_normal((2, 3, 3)).astype(np.float32) * 2
    shifts = points(size, vectors=vectors) - points(size)
    actual = points(size, window=window, mirrored=mirrored, angle=angle, vectors=vectors)
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    for y in range(size[0]):
        for x in range(size[1]):
            down = y + 0.5 + shifts[0, y, x] - size[0] / 2
            right = x + 0.5 + shifts[1, y, x] - size[1] / 2
            place = [
                size[0] / 2 + cos * down - sin * right,
                size[1] / 2 + sin * down + cos * right,
            ]
            for axis, span in enumerate(window):
                if mirrored[axis]:
                    place[axis] = span.shown - place[axis]
                step = (span.last - span.first) / span.shown
                expected = span.first + place[axis] * step - 0.5
                assert actual[axis, y, x] == pytest.approx(expected, abs=1e-3)


def test_a_quarter_turn_is_clockwise():
    label = np.arange(25, dtype=np.uint8).reshape(5, 5)
    image = np.stack([label] * 3, -1)
    turned, turned_label, _ = resample(Layers(image, label), points((5, 5), angle=90.0), PAD_COLOR)
    np.testing.assert_array_equal(turned_label, np.rot90(label, -1))
    np.testing.assert_array_equal(turned[..., 0], np.rot90(label, -1))


@settings(max_examples=80, deadline=None, database=None)
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    crop=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    scale=st.sampled_from([1.0, 3.0]),
    mirrored=st.tuples(st.booleans(), st.booleans()),
    seed=st.integers(0, 1000),
)
def test_without_rotation_and_deformation_it_is_the_plain_path(shape, crop, scale, mirrored, seed):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 9, shape, np.uint8)
    image = rng.integers(0, 256, (*shape, 3), np.uint8)
    layers = Layers(image, label, image[..., 0].astype(np.float32))
    size = (round(shape[0] * scale), round(shape[1] * scale))
    window = choose_window(label, size, crop, rng.random((1, 2)), 1.0)
    plain = pad(cut(layers, window, mirrored), crop, PAD_COLOR)
    places = points(crop, window=window, mirrored=mirrored)
    mapped = resample(layers, places, PAD_COLOR)
    # Half way between two pixels of the source the one label is as near as the other.
    decided = (np.abs(places % 1 - 0.5) > 1e-3).all(0)
    np.testing.assert_array_equal(mapped[1][decided], plain[1][decided])
    assert decided.all() or scale != 1
    # The plain path repeats the window's edge where the map looks beyond it.
    rows, columns = (slice(2, min(span.shown, c) - 2) for span, c in zip(window, crop, strict=True))
    inner = (slice(None), slice(None)) if scale == 1 else (rows, columns)
    difference = np.abs(mapped[0].astype(int) - plain[0])[inner]
    assert difference.max(initial=0) <= (0 if scale == 1 else 5)
    for made in (plain, mapped):
        # The border is interpolated as the image is, which rounds, and is 0 outside the source.
        inside = made.label != IGNORE_LABEL
        assert not made.border[~inside].any()
        np.testing.assert_allclose(made.border[inside], made.image[inside][:, 0], atol=2)


def test_corners_that_turn_into_view_show_the_source_where_it_has_something():
    label = np.full((60, 60), 5, np.uint8)
    image = np.stack([label] * 3, -1)
    window = (Span(20, 40, 20), Span(20, 40, 20))
    turned, turned_label, _ = resample(
        Layers(image, label), points((20, 20), window=window, angle=45.0), PAD_COLOR
    )
    assert (turned_label == 5).all()
    assert (turned == 5).all()


def test_corners_outside_the_source_are_padding():
    label = np.full((80, 80), 5, np.uint8)
    turned, turned_label, _ = resample(
        Layers(np.stack([label] * 3, -1), label), points((80, 80), angle=45.0), (1, 2, 3)
    )
    outside = turned_label == IGNORE_LABEL
    assert outside[[0, 0, -1, -1], [0, -1, 0, -1]].all()
    # A square turned by 45 degrees covers an octagon of 2 (sqrt 2 - 1) of its area.
    assert (~outside).mean() == pytest.approx(0.828, abs=0.01)
    assert (turned[outside] == (1, 2, 3)).all()
    assert (turned[~outside] == 5).all()
