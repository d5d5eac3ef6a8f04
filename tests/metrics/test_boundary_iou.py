"""Boundary IoU against a search of every pixel's neighbourhood, and by hand."""

import numpy as np
import pytest

from seg_jax.metrics.boundary_iou import BoundaryIoU, near_edge
from seg_jax.metrics.metric import Prediction


def naive_edge(mask, width):
    """Marks pixels of the mask with the outside of it, or of the image, within `width`."""
    framed = np.pad(mask, width)
    edge = np.zeros_like(mask)
    for y, x in zip(*np.nonzero(mask), strict=True):
        edge[y, x] = not framed[y : y + 2 * width + 1, x : x + 2 * width + 1].all()
    return edge


@pytest.mark.parametrize(("ratio", "width"), [(0.02, 1), (0.05, 2), (0.1, 4)])
def test_bands_of_every_class_equal_a_search(classes, draw, ratio, width):
    image = draw(1)
    counted = image.label != 255
    metric = BoundaryIoU(classes, dilation_ratio=ratio)
    counters = metric.count(image)
    for c in range(len(classes)):
        label = naive_edge(image.label == c, width) & counted
        prediction = naive_edge(image.prediction == c, width) & counted
        assert counters["intersection"][c] == (label & prediction).sum() > 0
        assert counters["union"][c] == (label | prediction).sum()


def test_the_scores_are_of_sums_and_a_class_that_is_nowhere_is_left_out(classes, total):
    ids = np.zeros((6, 6), np.uint8)
    other = ids.copy()
    other[:, 3:] = 1
    metric = BoundaryIoU(classes)
    scored = metric.score(total(metric, [Prediction(ids, ids), Prediction(ids, other)]))
    # Frames of one pixel: 20 of 20, then those of the left half, 14, of which 4 are an edge
    # in the label alone; on the right the label has 14, the prediction 10 of another class.
    assert scored["boundary_iou/sky"] == pytest.approx((20 + 10) / (20 + 24))
    assert scored["boundary_iou/road"] == 0
    assert np.isnan(scored["boundary_iou/tree"])
    assert scored["boundary_iou"] == pytest.approx((30 / 44) / 2)


def test_the_frame_is_an_edge_and_the_width_a_chebyshev_distance():
    ids = np.zeros((9, 9), np.uint8)
    expected = np.ones((9, 9), bool)
    expected[2:-2, 2:-2] = False
    np.testing.assert_array_equal(near_edge(ids, 2), expected)
    ids = np.zeros((13, 13), np.uint8)
    ids[6, 6] = 1
    assert near_edge(ids, 2)[4, 4]
    assert not near_edge(ids, 2)[3, 6]
