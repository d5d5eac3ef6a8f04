"""The bands around void are those of the derived splits, with the same mean IoU."""

import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.data.datasets.voc import TRIMAP_WIDTHS
from seg_jax.data.derive import restrict_to_trimap
from seg_jax.metrics.confusion import confusion_matrix, scores
from seg_jax.metrics.metric import Prediction
from seg_jax.metrics.trimap import Trimap


def few_voids(image):
    """Returns the picture with two void pixels, so that bands differ from the whole."""
    label = np.where(image.label == 255, 0, image.label).astype(np.uint8)
    label[2, 3] = label[-1, -1] = 255
    return Prediction(image.prediction, label)


def test_every_band_scores_as_its_derived_split(classes, draw, total):
    pictures = [few_voids(draw(seed, (40, 60))) for seed in range(3)]
    metric = Trimap(classes, widths=(1, 2, 4, 8, 40))
    actual = metric.score(total(metric, pictures))
    for width in metric.widths:
        confusion = sum(
            np.asarray(
                confusion_matrix(
                    jnp.asarray(p.prediction[None]),
                    jnp.asarray(restrict_to_trimap(p.label, width)[None]),
                    len(classes),
                )[0]
            )
            for p in pictures
        )
        assert actual[f"trimap_miou/{width}"] == scores(confusion).miou
    assert len(set(actual.values())) == 5


def test_the_widths_are_those_of_the_derived_splits(classes):
    assert Trimap(classes).widths == TRIMAP_WIDTHS


def test_without_void_there_is_no_band(classes):
    ids = np.zeros((50, 50), np.uint8)
    metric = Trimap(classes)
    scored = metric.score(metric.count(Prediction(ids, ids)))
    assert np.isnan(list(scored.values())).all()


def test_a_class_in_neither_band_is_left_out_of_the_mean(classes):
    label = np.array([[255, 0, 0, 0, 1]], np.uint8)
    prediction = np.array([[2, 0, 2, 0, 3]], np.uint8)
    metric = Trimap(classes, widths=(1, 2))
    scored = metric.score(metric.count(Prediction(prediction, label)))
    assert scored == {"trimap_miou/1": 1.0, "trimap_miou/2": pytest.approx(0.25)}
