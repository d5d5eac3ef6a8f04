"""BF against a loop over pairs of contour pixels, and what is averaged over what."""

import numpy as np
import pytest

from seg_jax.metrics.boundary_f import BoundaryF, contours, match
from seg_jax.metrics.metric import Prediction


def naive_contour(mask):
    """Returns places of the mask that have a 4-neighbour in the image outside the mask."""
    height, width = mask.shape
    return [
        (y, x)
        for y, x in np.ndindex(mask.shape)
        if mask[y, x]
        and any(
            not mask[v, u]
            for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1))
            if 0 <= v < height and 0 <= u < width
        )
    ]


def naive_f(label, prediction, tolerance):
    a, b = naive_contour(label), naive_contour(prediction)
    if not a or not b:
        return 0.0 if a or b else None

    def share(some, others):
        return np.mean(
            [min(np.hypot(y - v, x - u) for v, u in others) < tolerance for y, x in some]
        )

    precision, recall = share(b, a), share(a, b)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def test_scores_equal_a_loop_over_pairs(classes, draw, total):
    pictures = [draw(seed, (14, 19)) for seed in range(3)]
    of_class, of_image = [[] for _ in classes], []
    for p in pictures:
        void = p.label == 255
        values = [
            naive_f(p.label == c, (p.prediction == c) & ~void, 0.1 * np.hypot(14, 19))
            for c in np.unique(p.label[~void])
        ]
        for c, value in zip(np.unique(p.label[~void]), values, strict=True):
            of_class[c].append(value)
        of_image.append(np.mean(values))
    metric = BoundaryF(classes, tolerance=0.1)
    scored = metric.score(total(metric, pictures))
    assert 0.5 < scored["boundary_f"] < 1
    assert scored["boundary_f"] == pytest.approx(np.mean(of_image))
    for name, values in zip(classes, of_class, strict=True):
        assert scored[f"boundary_f/{name}"] == pytest.approx(np.mean(values))


def test_a_contour_at_the_tolerance_does_not_match():
    # A diagonal of 400 pixels: 0.75 % are 3.
    label = np.zeros((240, 320), np.uint8)
    label[:, 100:] = 1
    for shift, expected in ((2, 1.0), (3, 0.0)):
        prediction = np.roll(label, shift, 1)
        prediction[:, :10] = 0
        metric = BoundaryF(("a", "b"))
        assert metric.score(metric.count(Prediction(prediction, label)))["boundary_f"] == expected


def test_images_weigh_the_same_whatever_they_show(classes, total):
    """The published mean is over images: a class of one image of two does not weigh twice."""
    good = np.zeros((20, 20), np.uint8)
    good[:, 10:] = 1
    bad = good.copy()
    bad[10:] = 2
    metric = BoundaryF(classes)
    images = [Prediction(good, good), Prediction(np.full_like(bad, 3), bad)]
    scored = metric.score(total(metric, images))
    assert scored["boundary_f"] == 0.5
    assert scored["boundary_f/sky"] == scored["boundary_f/road"] == 0.5
    assert scored["boundary_f/tree"] == 0
    assert np.isnan(scored["boundary_f/car"])


def test_a_class_that_fills_the_picture_has_no_contour(classes):
    ids = np.zeros((8, 8), np.uint8)
    counters = BoundaryF(classes).count(Prediction(ids, ids))
    assert not any(value.any() for value in counters.values())
    nearly = ids.copy()
    nearly[0, 0] = 1
    counters = BoundaryF(classes).count(Prediction(nearly, ids))
    assert counters["class_images"].tolist() == [1, 0, 0, 0]
    assert counters["image_f"] == 0


def test_ignored_pixels_are_of_no_class_in_the_prediction_too(classes):
    label = np.zeros((30, 30), np.uint8)
    label[:, 15:] = 1
    prediction = label.copy()
    prediction[20:] = 2
    label[20:] = 255
    metric = BoundaryF(classes)
    assert metric.score(metric.count(Prediction(prediction, label)))["boundary_f"] == 1


def test_the_edge_of_the_picture_is_no_contour():
    ids = np.zeros((4, 5), np.uint8)
    ids[:, 3:] = 1
    np.testing.assert_array_equal(contours(ids), np.isin(np.arange(5), [2, 3])[None].repeat(4, 0))


def test_precision_and_recall_are_of_the_right_side():
    label = np.zeros((1, 50), bool)
    prediction = label.copy()
    label[0, 0] = True
    prediction[0, [0, 20, 30, 40]] = True
    assert match(label, prediction, 1.5) == pytest.approx(2 * 0.25 / 1.25)
    label[0, 10] = True
    assert match(label, prediction, 1.5) == pytest.approx(2 * 0.25 * 0.5 / 0.75)


@pytest.mark.parametrize("turned", [False, True])
def test_a_pixel_at_the_tolerance_is_too_far(turned):
    one, two = np.zeros((1, 9), bool), np.zeros((1, 9), bool)
    one[0, 0] = two[0, 1] = two[0, 3] = True
    pair = (two, one) if turned else (one, two)
    assert match(*pair, 3.0) == pytest.approx(2 * 0.5 / 1.5)
