"""What a size goes through; the images are checked in tests/evaluate against plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_jax.data.pipeline.frames import Framing

SIDES = st.integers(1, 300)
SIZE = st.tuples(SIDES, SIDES)


def test_a_whole_image_is_its_own_shape():
    plan = Framing().plan((300, 500))
    (view,) = plan.views
    assert (view.content, view.image, plan.label) == ((300, 500),) * 3
    assert view.canvas == plan.frame == (384, 512)
    assert plan.direct
    assert list(view.origins) == []
    # Images of other sizes never share its batch, since padding would change what it sees.
    assert plan.shapes != Framing().plan((300, 499)).shapes


def test_images_padded_to_a_size_share_batches():
    framing = Framing(window="pad", window_size=(513, 513))
    plans = [framing.plan(size) for size in ((300, 500), (513, 513), (500, 333))]
    assert len({plan.shapes for plan in plans}) == 1
    assert plans[0].frame == plans[0].views[0].image == (513, 513)
    assert [plan.label for plan in plans] == [(300, 500), (513, 513), (500, 333)]


def test_scaled_pads_are_deeplabs():
    # 513 at 0.5, 0.75, ... of eval.py: 8 k + 1, and an image that fits at 1 fits at all.
    scales = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
    plan = Framing(window="pad", window_size=(513, 513), scales=scales).plan((513, 400))
    assert [view.image[0] for view in plan.views] == [257, 385, 513, 641, 769, 897]
    assert plan.views[-1].content == (897, 700)
    assert plan.label == (513, 400)
    assert not plan.direct


def test_an_image_larger_than_what_it_is_padded_to_is_refused():
    with pytest.raises(ValueError, match=r"is \(514, 20\) px .*window_size=\(513, 513\)"):
        Framing(window="pad", window_size=(513, 513)).plan((514, 20))


@pytest.mark.parametrize(
    ("size", "rows", "columns"),
    [
        # As mmsegmentation cuts 512 x 1024 for Cityscapes at 769 and 513.
        ((1024, 2048), (0, 255), (0, 513, 1026, 1279)),
        ((769, 769), (0,), (0,)),
        ((700, 770), (0,), (0, 1)),
    ],
)
def test_windows_lie_where_mmsegmentation_puts_them(size, rows, columns):
    framing = Framing(window="sliding", window_size=(769, 769), window_stride=(513, 513))
    (view,) = framing.plan(size).views
    assert (view.rows, view.columns) == (rows, columns)


@settings(max_examples=60, deadline=None, database=None)
@given(SIZE, st.sampled_from(["sliding", "overlap_tile"]), SIZE, st.data())
def test_tiles_cover_the_image_and_stay_inside(size, window, tile, data):
    stride = tuple(data.draw(st.integers(1, side)) for side in tile)
    framing = Framing(window=window, window_size=tile, window_stride=stride)
    plan = framing.plan(size)
    (view,) = plan.views
    kept = tile if window == "sliding" else stride
    covered = np.zeros(view.canvas, int)
    for y, x in view.origins:
        assert y + tile[0] <= view.image[0]
        assert x + tile[1] <= view.image[1]
        covered[y : y + kept[0], x : x + kept[1]] += 1
    assert covered.shape == view.canvas == plan.frame
    assert covered[: size[0], : size[1]].min() == 1
    if window == "overlap_tile":
        assert covered.max() == 1


def test_the_border_of_tiles_is_mirrored():
    framing = Framing(window="overlap_tile", window_size=(8, 8), window_stride=(4, 4))
    image = np.random.RandomState(0).randint(0, 256, (6, 5, 3)).astype(np.uint8)
    plan = framing.plan((6, 5))
    drawn = framing.draw(image, plan, plan.views[0])
    assert drawn.shape[:2] == plan.views[0].image
    np.testing.assert_array_equal(drawn[2:8, 2:7], image)
    # The outermost row is the axis of the mirror, and is not repeated.
    np.testing.assert_array_equal(drawn[1, 2:7], image[1])
    np.testing.assert_array_equal(drawn[0, 2:7], image[2])
    np.testing.assert_array_equal(drawn[2:8, 7], image[:, 3])
    # Farther than the image is long, it is mirrored again.
    np.testing.assert_array_equal(drawn[2:8, 2 + 8], image[:, 0])


def test_labels_are_fitted_by_nearest_neighbour():
    framing = Framing(resize="short", base_size=(8,), labels="resized")
    label = np.random.RandomState(0).choice([1, 7, 255], (4, 6)).astype(np.uint8)
    plan = framing.plan((4, 6))
    fitted = framing.fit(label, plan, 255, nearest=True)
    np.testing.assert_array_equal(fitted, label.repeat(2, 0).repeat(2, 1))
