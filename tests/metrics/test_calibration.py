"""Calibration errors against a loop over pixels and bins, and by hand."""

import numpy as np
import pytest

from seg_jax.metrics.calibration import Calibration
from seg_jax.metrics.metric import Prediction


def test_errors_equal_a_loop_over_bins(classes, draw, total):
    pictures = [draw(seed) for seed in range(3)]
    for picture in pictures:
        picture.prediction[...] = picture.probabilities.argmax(-1)
    metric = Calibration(classes, bins=6)
    scores = metric.score(total(metric, pictures))
    pixels = [
        (float(p.probabilities[place][p.prediction[place]]), p.prediction[place] == p.label[place])
        for p in pictures
        for place in np.ndindex(p.label.shape)
        if p.label[place] != 255
    ]
    ece, mce = 0.0, 0.0
    for m in range(1, 7):
        inside = [(c, right) for c, right in pixels if (m - 1) / 6 < c <= m / 6]
        if inside:
            gap = abs(np.mean([right for _, right in inside]) - np.mean([c for c, _ in inside]))
            ece += gap * len(inside) / len(pixels)
            mce = max(mce, gap)
    assert scores["ece"] == pytest.approx(ece, rel=1e-12)
    assert scores["mce"] == pytest.approx(mce, rel=1e-12)
    assert 0 < ece < mce < 1


def test_confidence_is_that_of_the_prediction_not_the_greatest():
    probabilities = np.array([[[0.25, 0.75]]], np.float32)
    image = Prediction(np.zeros((1, 1), np.uint8), np.zeros((1, 1), np.uint8), probabilities)
    metric = Calibration(("a", "b"), bins=4)
    assert metric.score(metric.count(image)) == {"ece": 0.75, "mce": 0.75}


def test_a_bin_holds_its_upper_edge_and_the_ends_are_kept():
    p = np.array([[0.0, 0.25, 0.3, 0.5, 1.0, 1.0000001]], np.float32)
    image = Prediction(
        np.zeros(p.shape, np.uint8), np.zeros(p.shape, np.uint8), np.stack([p, 1 - p], -1)
    )
    counted = Calibration(("a", "b"), bins=4).count(image)
    np.testing.assert_array_equal(counted["pixels"], [2, 2, 0, 2])
    assert counted["confidence"].dtype == np.float64


def test_a_network_as_right_as_it_is_sure_has_no_error():
    p = np.full((4, 5), 0.75, np.float32)
    label = np.zeros((4, 5), np.uint8)
    label[0] = 1
    image = Prediction(np.zeros_like(label), label, np.stack([p, 1 - p], -1))
    metric = Calibration(("a", "b"))
    assert metric.score(metric.count(image)) == {"ece": 0.0, "mce": 0.0}
