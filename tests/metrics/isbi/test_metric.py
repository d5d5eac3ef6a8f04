"""The errors are those of the challenge's evaluator, threshold by threshold.

tests/golden/metrics/isbi.npz holds made-up membranes, probabilities as bytes, and what the
classes PixelError, RandError and WarpingError of fiji/Trainable_Segmentation (commit 41c7083,
ImageJ 1.52i, called as by the challenge's scripts) compute of them.
"""

from pathlib import Path

import numpy as np
import pytest

from seg_jax.metrics.isbi.metric import ISBI, THRESHOLDS
from seg_jax.metrics.isbi.warping import warp
from seg_jax.metrics.metric import Prediction

ERRORS = (
    "pixel_error",
    "pixel_error_at_half",
    "rand_error",
    "rand_error_thinned",
    "warping_error",
)


@pytest.fixture(scope="module")
def golden():
    """Returns the pictures and what the published evaluator says of them."""
    with np.load(Path(__file__).parents[2] / "golden/metrics/isbi.npz") as file:
        return dict(file)


def pictures(golden, cell=1):
    """Yields what evaluation knows of each picture, with `cell` as the class id of a cell."""
    for label, byte in zip(golden["label"], golden["probability"], strict=True):
        p = byte / np.float32(255)
        probabilities = np.stack([1 - p, p] if cell else [p, 1 - p], axis=-1)
        yield Prediction(
            ((p > 0.5) == bool(cell)).astype(np.uint8),
            (label if cell else 1 - label).astype(np.uint8),
            probabilities,
        )


def test_every_count_and_error_is_the_published_one(golden, total):
    metric = ISBI(("membrane", "cell"))
    counters = total(metric, pictures(golden))
    joint, predicted, label = counters["pairs"].T
    np.testing.assert_allclose(2 * joint / (predicted + label), golden["rand_f"], rtol=1e-12)
    np.testing.assert_allclose(counters["thinned_f"] / 3, golden["thinned_f"], rtol=1e-12)
    expected = golden["splits"] + golden["merges"]
    np.testing.assert_array_equal(counters["splits_and_merges"], expected)
    errors = metric.score(counters)
    assert tuple(errors) == ERRORS
    for name in ERRORS:
        assert errors[name] == pytest.approx(float(golden[name]), rel=1e-9), name


def test_every_warped_label_leaves_the_published_mismatches(golden):
    for threshold, expected in zip(THRESHOLDS, golden["mismatches"], strict=False):
        mismatches = 0
        for image in pictures(golden):
            p = image.probabilities[..., 1].astype(np.float64)
            mismatches += ((p > threshold) != warp(image.label > 0, p, threshold)).sum()
        assert mismatches == expected


def test_the_order_of_the_classes_does_not_matter(golden, total):
    expected = ISBI(("membrane", "cell"))
    turned = ISBI(("cell", "membrane"))
    assert turned.score(total(turned, pictures(golden, cell=0))) == expected.score(
        total(expected, pictures(golden))
    )


def test_a_perfect_prediction_has_no_error(golden, total):
    images = [
        Prediction(i.prediction, i.label, np.eye(2, dtype=np.float32)[i.label])
        for i in pictures(golden)
    ]
    metric = ISBI(("membrane", "cell"))
    errors = metric.score(total(metric, images))
    # Thinning moves the line of a wide membrane into cells: that error need not be 0.
    assert errors.pop("rand_error_thinned") < 0.01
    assert set(errors.values()) == {0.0}


def test_a_picture_without_cells_is_left_out_of_the_mean_over_pictures(golden, total):
    metric = ISBI(("membrane", "cell"))
    images = list(pictures(golden))
    empty = Prediction(*(np.zeros_like(images[0].label),) * 2, images[0].probabilities * 0)
    alone = metric.score(total(metric, images))
    assert metric.score(total(metric, [*images, empty]))["rand_error_thinned"] == pytest.approx(
        alone["rand_error_thinned"]
    )
    nothing = metric.score(metric.count(empty))
    assert nothing.pop("warping_error") == 0
    assert np.isnan(list(nothing.values())).all()


def test_an_ignored_pixel_is_refused(golden):
    image = next(pictures(golden))
    image.label[0, 0] = 255
    with pytest.raises(ValueError, match=r"'isbi'.*ignored.*config\.evaluate\.metrics"):
        ISBI(("membrane", "cell")).count(image)
