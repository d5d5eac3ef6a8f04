"""iIoU against the publisher's script, run on pictures."""

import dataclasses

import cv2
import numpy as np
import pytest

from seg_jax.data.datasets.cityscapes_labels import CLASSES, LABEL_ID_TO_CLASS, LABEL_IDS
from seg_jax.metrics.iiou import OBJECTS, InstanceIoU
from seg_jax.metrics.metric import Prediction

SIZE = (24, 36)


def draw(seed):
    """Returns the publisher's pictures: predicted label ids, label ids and instance ids."""
    random = np.random.RandomState(seed)
    # Also ids that do not count, among them a class with objects (29, caravan).
    coarse = random.choice([7, 24, 25, 26, 28, 33, 29, 0], (SIZE[0] // 4, SIZE[1] // 4))
    label = np.kron(coarse, np.ones((4, 4), int))
    prediction = np.where(random.rand(*SIZE) < 0.3, random.choice(LABEL_IDS, SIZE), label)
    prediction = np.where(np.isin(prediction, LABEL_IDS), prediction, 26)
    place = np.kron(random.randint(0, 4, coarse.shape), np.ones((4, 4), int))
    single = np.isin(label, [24, 25, 26, 28, 33, 29]) & (place > 0)
    instances = np.where(single, label * 1000 + place, label)
    return prediction.astype(np.uint8), label.astype(np.uint8), instances.astype(np.uint16)


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Returns a function (pictures) -> the script's scores by class."""
    script = pytest.importorskip("cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling")
    # Removed in NumPy 2.4, after the script's last release.
    monkeypatch.setattr(np, "in1d", np.isin, raising=False)

    def evaluate(pictures):
        confusion = script.generateMatrix(script.args)
        statistics = script.generateInstanceStats(script.args)
        for i, parts in enumerate(pictures):
            names = (f"{i}_pred.png", f"{i}_labelIds.png", f"{i}_instanceIds.png")
            for name, part in zip(names, parts, strict=True):
                cv2.imwrite(str(tmp_path / name), part)
            prediction, label = (str(tmp_path / name) for name in names[:2])
            script.evaluatePair(prediction, label, confusion, statistics, {}, script.args)
        iou = {
            name: script.getInstanceIouScoreForLabel(i, confusion, statistics, script.args)
            for name, i in zip(CLASSES, LABEL_IDS, strict=True)
        }
        return iou, script.getScoreAverage(iou, script.args)

    return evaluate


def to_class(ids):
    return np.vectorize(LABEL_ID_TO_CLASS.get, otypes=[np.uint8])(ids)


def as_read(prediction, label, instances):
    """Returns what the dataset `cityscapes` makes of the pictures."""
    numbers = np.where(instances >= 1000, instances, 0).astype(np.uint16)
    return Prediction(to_class(prediction), to_class(label), instances=numbers)


def test_scores_are_those_of_the_published_script(published, total):
    pictures = [draw(seed) for seed in range(3)]
    expected, mean = published(pictures)
    metric = InstanceIoU(CLASSES)
    actual = metric.score(total(metric, [as_read(*parts) for parts in pictures]))
    for name in OBJECTS:
        np.testing.assert_allclose(actual[f"iiou/{name}"], expected[name], rtol=1e-12)
    assert actual["iiou"] == pytest.approx(mean, rel=1e-12)
    assert 0 < actual["iiou/person"] < 1
    assert {name for name in CLASSES if not np.isnan(expected[name])} == set(OBJECTS)


def test_the_constants_are_the_published_ones():
    script = pytest.importorskip("cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling")
    for name, (label_id, average) in OBJECTS.items():
        assert script.args.avgClassSize[name] == average
        assert dict(zip(CLASSES, LABEL_IDS, strict=True))[name] == label_id


def test_a_class_that_is_nowhere_is_nan_and_an_object_of_none_counts_for_nothing():
    image = as_read(*draw(0))
    whole = dataclasses.replace(image, prediction=np.where(image.label == 255, 0, image.label))
    metric = InstanceIoU(CLASSES)
    scored = metric.score(metric.count(whole))
    assert np.isnan(scored["iiou/train"])
    assert scored["iiou"] == scored["iiou/person"] == 1


def test_without_objects_only_false_pixels_are_left():
    label = np.zeros((2, 2), np.uint8)
    image = Prediction(np.full_like(label, CLASSES.index("car")), label, None, label.astype("u2"))
    metric = InstanceIoU(CLASSES)
    scored = metric.score(metric.count(image))
    assert scored["iiou/car"] == scored["iiou"] == 0
