"""What is pasted, and how much of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_jax.data.augment.layers import Layers
from seg_jax.data.augment.mix import MASKS, classmix_mask, cutmix_mask, paste
from seg_jax.labels import IGNORE_LABEL


def pair(seed, shape=(12, 15)):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (*shape, 3), np.uint8), rng.integers(0, 6, shape, np.uint8)


def test_pixels_come_with_their_labels_and_nothing_is_written_in_place():
    image, label, weights = own = (*pair(0), np.random.default_rng(3).random((12, 15), np.float32))
    other = (*pair(1), np.random.default_rng(4).random((12, 15), np.float32))
    kept = [array.copy() for array in (*own, *other)]
    for array in (*own, *other):
        array.setflags(write=False)
    mask = np.random.default_rng(2).random(label.shape) < 0.5
    # Rows that run backwards are what the flip hands over.
    partner = Layers(other[0][:, ::-1], other[1][:, ::-1], other[2][:, ::-1])
    mixed, mixed_label, border = paste(Layers(image, label, weights), partner, mask)
    np.testing.assert_array_equal(mixed, np.where(mask[..., None], other[0][:, ::-1], image))
    np.testing.assert_array_equal(mixed_label, np.where(mask, other[1][:, ::-1], label))
    np.testing.assert_array_equal(border, np.where(mask, other[2][:, ::-1], weights))
    for array, before in zip((*own, *other), kept, strict=True):
        np.testing.assert_array_equal(array, before)


def cutmix_box(height, width, lam, centre_y, centre_x):
    """rand_bbox of the authors' code, with height and width the usual way round."""
    cut = np.sqrt(1.0 - lam)
    cut_h, cut_w = int(height * cut), int(width * cut)
    y, x = int(height * centre_y), int(width * centre_x)
    y1, y2 = (np.clip(y + s * (cut_h // 2), 0, height) for s in (-1, 1))
    x1, x2 = (np.clip(x + s * (cut_w // 2), 0, width) for s in (-1, 1))
    return slice(y1, y2), slice(x1, x2)


@settings(max_examples=100, deadline=None, database=None)
@given(height=st.integers(1, 60), width=st.integers(1, 60), seed=st.integers(0, 10**6))
def test_the_box_is_that_of_the_authors(height, width, seed):
    mask = cutmix_mask(np.zeros((height, width), np.uint8), np.random.default_rng(seed))
    area, centre_y, centre_x = np.random.default_rng(seed).random(3)
    expected = np.zeros((height, width), bool)
    expected[cutmix_box(height, width, 1 - area, centre_y, centre_x)] = True
    np.testing.assert_array_equal(mask, expected)


def test_boxes_of_every_size_lie_everywhere():
    masks = [
        cutmix_mask(np.zeros((40, 60), np.uint8), np.random.default_rng(s)) for s in range(800)
    ]
    shares = np.array([mask.mean() for mask in masks])
    assert shares.min() < 0.02
    assert shares.max() > 0.8
    often = np.mean(masks, axis=0)
    assert often.min() > 0.09  # corners
    assert often[20, 30] == pytest.approx(often.max(), abs=0.06)
    np.testing.assert_allclose(often, often[:, ::-1], atol=0.12)


@settings(max_examples=100, deadline=None, database=None)
@given(present=st.sets(st.integers(0, 254), max_size=7), seed=st.integers(0, 10**6))
def test_half_of_the_classes_are_pasted_whole(present, seed):
    rng = np.random.default_rng(seed)
    label = rng.choice([*sorted(present), IGNORE_LABEL], (30, 30)).astype(np.uint8)
    classes = set(np.unique(label).tolist()) - {IGNORE_LABEL}
    mask = classmix_mask(label, rng)
    pasted, kept = set(label[mask].tolist()), set(label[~mask].tolist())
    assert not pasted & kept
    assert IGNORE_LABEL not in pasted
    assert len(pasted) == (len(classes) + 1) // 2


def test_every_class_is_pasted_as_often_as_another():
    label = np.arange(4, dtype=np.uint8).reshape(2, 2)
    rng = np.random.default_rng(0)
    often = np.mean([classmix_mask(label, rng) for _ in range(1000)], axis=0)
    np.testing.assert_allclose(often, 0.5, atol=0.08)


@pytest.mark.parametrize("kind", sorted(MASKS))
def test_a_mask_is_a_function_of_its_rng(kind):
    label = pair(3)[1]
    one, same, other = (MASKS[kind](label, np.random.default_rng(s)) for s in (0, 0, 5))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
