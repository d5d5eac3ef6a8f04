"""The crop that no class fills, against a plain loop over the resized label."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_jax.data.augment.crop import choose_window, cut
from seg_jax.data.augment.layers import Layers
from seg_jax.labels import IGNORE_LABEL


def cat_max_crop(label, crop_size, positions, cat_max_ratio):
    """mmsegmentation's RandomCrop.crop_bbox, given the random positions."""
    (y1, x1), *others = (
        [
            int(p * (max(s - c, 0) + 1))
            for p, s, c in zip(place, label.shape, crop_size, strict=True)
        ]
        for place in positions
    )
    for again in others:
        part = label[y1 : y1 + crop_size[0], x1 : x1 + crop_size[1]]
        counts = {}
        for value in part.ravel().tolist():
            if value != IGNORE_LABEL:
                counts[value] = counts.get(value, 0) + 1
        if len(counts) > 1 and max(counts.values()) / sum(counts.values()) < cat_max_ratio:
            break
        y1, x1 = again
    return y1, x1


@settings(max_examples=150, deadline=None, database=None)
@given(
    shape=st.tuples(st.integers(4, 30), st.integers(4, 30)),
    crop=st.tuples(st.integers(2, 12), st.integers(2, 12)),
    ratio=st.sampled_from([0.3, 0.5, 0.6, 0.75, 0.9, 1.0]),
    ignored=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_the_window_is_mmsegmentations(shape, crop, ratio, ignored, seed):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 4, (shape[0] // 5 + 1, shape[1] // 5 + 1), np.uint8)
    label = np.kron(coarse, np.ones((5, 5), np.uint8))[: shape[0], : shape[1]].copy()
    if ignored:
        label[label == 3] = IGNORE_LABEL
    positions = rng.random((11, 2))
    rows, columns = choose_window(label, shape, crop, positions, ratio)
    y, x = cat_max_crop(label, crop, positions, ratio) if ratio < 1 else (rows.first, columns.first)
    assert (rows.first, columns.first) == (y, x)
    assert rows.last == min(y + crop[0], shape[0])
    assert columns.last == min(x + crop[1], shape[1])
    if ratio == 1:
        assert y == int(positions[0, 0] * (max(shape[0] - crop[0], 0) + 1))


def test_judges_the_label_that_the_crop_shows():
    # Of noise shrunk to a third, a window of the source tells little about its resized label.
    label = np.random.default_rng(1).integers(0, 3, (60, 60), np.uint8)
    for seed in range(30):
        positions = np.random.default_rng(seed).random((11, 2))
        chosen = choose_window(label, (20, 20), (3, 3), positions, 0.5)
        for position in positions:
            window = choose_window(label, (20, 20), (3, 3), position[None], 0.5)
            shown = cut(Layers(np.stack([label] * 3, -1), label), window, (False, False))[1]
            counts = np.unique(shown, return_counts=True)[1]
            if len(counts) > 1 and counts.max() / 9 < 0.5:
                break
        assert chosen == window


def test_without_a_better_place_the_last_is_taken():
    label = np.zeros((20, 20), np.uint8)
    positions = np.linspace(0, 0.99, 22).reshape(11, 2)
    rows, columns = choose_window(label, (20, 20), (4, 4), positions, 0.75)
    assert (rows.first, columns.first) == tuple((positions[-1] * 17).astype(int))


def test_a_rare_class_is_seen_more_often():
    label = np.zeros((100, 100), np.uint8)
    label[40:60, 40:60] = 1
    seen = {1.0: 0, 0.75: 0}
    for ratio in seen:
        for seed in range(200):
            positions = np.random.default_rng(seed).random((11, 2))
            rows, columns = choose_window(label, (100, 100), (20, 20), positions, ratio)
            part = label[rows.first : rows.last, columns.first : columns.last]
            seen[ratio] += 1 - part.mean() < 0.75
    assert seen[0.75] > 4 * max(seen[1.0], 1)


def test_a_window_is_resized_by_nearest_exact():
    label = np.random.default_rng(0).integers(0, 9, (40, 40), np.uint8)
    window = choose_window(label, (25, 31), (25, 31), np.zeros((1, 2)), 1.0)
    shown = cut(Layers(np.stack([label] * 3, -1), label), window, (True, False))[1]
    expected = cv2.resize(label, (31, 25), interpolation=cv2.INTER_NEAREST_EXACT)[::-1]
    np.testing.assert_array_equal(shown, expected)
