"""Warping against its definition: sweeps in order, and flips that keep the topology."""

import cv2
import numpy as np
import pytest

from seg_jax.metrics.isbi.warping import warp


def components(mask, connectivity):
    return cv2.connectedComponents(mask.astype(np.uint8), connectivity=connectivity)[0] - 1


def naive_simple(picture, y, x):
    """Tells whether the pixel has one cell at a side and one membrane around it."""
    patch = picture[y - 1 : y + 2, x - 1 : x + 2].copy()
    patch[1, 1] = 0
    cells = cv2.connectedComponents(patch.astype(np.uint8), connectivity=4)[1]
    sides = {int(cells[place]) for place in ((0, 1), (1, 0), (1, 2), (2, 1))} - {0}
    around = (patch == 0).astype(np.uint8)
    around[1, 1] = 0
    return len(sides) == 1 and components(around, 8) == 1


def naive_warp(label, probability, threshold):
    """Sweeps over all that disagrees, furthest from the threshold first, then by columns."""
    picture = np.pad(label, 1).astype(np.uint8)
    target = np.pad(probability > threshold, 1)
    places = [(y, x) for x in range(1, label.shape[1] + 1) for y in range(1, label.shape[0] + 1)]
    places.sort(key=lambda p: -np.float32(abs(probability[p[0] - 1, p[1] - 1] - threshold)))
    flipped = True
    while flipped:
        flipped = False
        for y, x in places:
            if picture[y, x] != target[y, x] and naive_simple(picture, y, x):
                picture[y, x] ^= 1
                flipped = True
    return picture[1:-1, 1:-1] > 0


def draw(seed):
    random = np.random.RandomState(seed)
    label = np.kron(random.rand(4, 5) < 0.6, np.ones((4, 3))).astype(bool)
    # Eighths, so that many pixels are as far from the threshold as others; those that are not
    # by less than single precision can tell are, too.
    steps = np.round(cv2.blur(label * 0.7 + random.rand(*label.shape) * 0.6, (3, 3)) * 8)
    return label, steps / 8 + random.rand(*label.shape) * 1e-12


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("threshold", [0.3, 0.5])
def test_a_warped_label_equals_that_of_plain_sweeps(seed, threshold):
    label, probability = draw(seed)
    warped = warp(label, probability, threshold)
    np.testing.assert_array_equal(warped, naive_warp(label, probability, threshold))
    assert (warped != label).any()


@pytest.mark.parametrize("seed", range(4))
def test_the_numbers_of_cells_and_of_membranes_stay(seed):
    label, probability = draw(seed)
    before, after = np.pad(label, 1), np.pad(warp(label, probability, 0.4), 1)
    assert components(after, 4) == components(before, 4)
    assert components(~after, 8) == components(~before, 8)


def test_every_neighbourhood_is_judged_as_by_its_components():
    """All 256, each as a picture whose middle alone disagrees."""
    for ring in range(256):
        label = np.zeros((3, 3), bool)
        label.reshape(-1)[[0, 1, 2, 3, 5, 6, 7, 8]] = [ring >> i & 1 for i in range(8)]
        probability = label.astype(np.float64)
        probability[1, 1] = 1.0
        flips = warp(label, probability, 0.5)[1, 1]
        assert flips == naive_simple(np.pad(label, 1).astype(np.uint8), 2, 2)


def test_a_moved_membrane_is_followed_and_a_hole_is_not_closed():
    label = np.ones((9, 12), bool)
    label[:, 3] = False
    moved = np.ones(label.shape)
    moved[:, 4] = 0.0
    np.testing.assert_array_equal(warp(label, moved, 0.5), moved > 0.5)
    closed = np.ones(label.shape)
    assert (~warp(label, closed, 0.5)).sum() == 9
