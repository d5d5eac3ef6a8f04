"""Labels at the ends of lines never overlap and stay as near as they can."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest

from seg_jax.report import labels, style
from seg_jax.report.labels import spread


def test_labels_that_fit_stay_where_they_are():
    assert spread([0.9, 0.1, 0.5], [0.1, 0.1, 0.1]) == pytest.approx([0.9, 0.1, 0.5])


@pytest.mark.parametrize("seed", range(5))
def test_labels_keep_their_order_and_do_not_overlap(seed):
    rng = np.random.default_rng(seed)
    wanted = rng.uniform(0, 1, 12).tolist()
    heights = rng.uniform(0.05, 0.2, 12).tolist()
    placed = spread(wanted, heights)
    order = np.argsort(wanted)
    assert np.argsort(placed).tolist() == order.tolist()
    for low, high in itertools.pairwise(order):
        gap = placed[high] - placed[low]
        assert gap >= (heights[low] + heights[high]) / 2 - 1e-9


def test_overlapping_labels_move_evenly_away():
    assert spread([0.5, 0.5], [0.2, 0.2]) == pytest.approx([0.4, 0.6])


def test_labels_of_two_points_in_one_place_do_not_overlap():
    figure, ax = style.axes(style.WIDTH, style.HEIGHT)
    points = [("DeepLabv3+", 0.0919, 49.8, "k"), ("FastFCN", 0.0902, 48.7, "k")]
    points.append(("U-Net", 0.217, 47.3, "k"))
    for _, x, y, _ in points:
        ax.plot(x, y, "o")
    labels.beside_points(ax, points, axes_size=(style.HEIGHT - 0.6, style.WIDTH - 0.7))
    figure.canvas.draw()
    first, second, _ = (text.get_window_extent() for text in ax.texts)
    plt.close(figure)
    assert not first.overlaps(second)
