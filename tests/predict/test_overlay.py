"""What an overlay shows: colours inside, outlines, the background as it is, a legend."""

import numpy as np
import pytest

from seg_jax.predict.overlay import draw_overlay

PALETTE = ((0, 0, 0), (200, 0, 40), (0, 160, 80))
LEGEND = [(0, "background 50.0 %"), (1, "cat 30.0 %"), (2, "dining table 20.0 %")]


def scene(height=120, width=200):
    picture = np.random.RandomState(0).randint(0, 256, (height, width, 3)).astype(np.uint8)
    classes = np.zeros((height, width), np.uint8)
    classes[:, width // 2 :] = 1
    classes[height // 2 :, width // 2 :] = 2
    return picture, classes


def draw(height=120, width=200, unpainted=0):
    picture, classes = scene(height, width)
    return draw_overlay(picture, classes, PALETTE, LEGEND, unpainted=unpainted)


def test_objects_are_tinted_outlined_and_the_background_is_untouched():
    picture, _ = scene()
    shown = draw()
    np.testing.assert_array_equal(shown[:120, :100], picture[:, :100])
    inside = slice(5, 50), slice(110, 190)
    blend = (picture[inside].astype(int) + PALETTE[1]) / 2
    assert np.abs(shown[inside] - blend).max() <= 1
    assert (shown[5:50, 100] == PALETTE[1]).all()
    assert (shown[60, 110:190] == PALETTE[2]).all()


def test_a_class_that_is_no_background_is_painted():
    picture, _ = scene()
    shown = draw(unpainted=None)
    assert np.abs(shown[5:115, 5:90] - picture[5:115, 5:90] / 2).max() <= 1


@pytest.mark.parametrize(("height", "width"), [(120, 200), (1500, 2000), (10, 8), (64, 700)])
def test_the_legend_shows_each_colour_and_text_without_cutting_it(height, width):
    shown = draw(height, width)
    assert shown.shape[1] >= width
    legend = shown[height:]
    assert len(legend) >= 20
    swatches = [(legend == PALETTE[index]).all(-1) for index in (1, 2)]
    assert all(swatch.sum() > 100 for swatch in swatches)
    ink = (legend < 100).all(-1)
    assert ink.sum() > 300
    for border in (ink[0], ink[-1], ink[:, 0], ink[:, -1]):
        assert not border.any()


def test_entries_stand_side_by_side_where_there_is_room():
    assert len(draw(64, 700)) < len(draw(64, 70))


def test_text_grows_with_the_picture():
    assert len(draw(1500, 2000)) - 1500 > 2 * (len(draw(64, 700)) - 64)
