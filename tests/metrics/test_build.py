"""Every metric of the table can be made, and adds up over images in any order."""

import dataclasses

import numpy as np
import pytest

from seg_jax.metrics import METRICS
from seg_jax.metrics.build import make_metrics
from seg_jax.metrics.iiou import OBJECTS
from seg_jax.metrics.metric import Prediction

FOUR = ("calibration", "trimap", "boundary_iou", "boundary_f")


def images(k, count=5):
    """Returns whole labels of uneven sizes, one without the last class."""
    random = np.random.RandomState(k)
    for i in range(count):
        size = (20 + i, 30 - i)
        label = random.randint(0, k - (i == 2), size).astype(np.uint8)
        probabilities = random.dirichlet(np.ones(k), size).astype(np.float32)
        # Objects of a car that are numbered as the publisher does.
        instances = np.where(label == 0, 26_000 + i, 0).astype(np.uint16)
        yield Prediction(probabilities.argmax(-1).astype(np.uint8), label, probabilities, instances)


@pytest.mark.parametrize("name", sorted(METRICS))
def test_scores_depend_neither_on_order_nor_on_batches(name):
    classes = ("membrane", "cell") if name == "isbi" else tuple(sorted(OBJECTS, reverse=True))
    metric = make_metrics([name], classes=classes)[name]
    counters = [metric.count(image) for image in images(len(classes))]
    assert len({tuple((k, v.shape) for k, v in c.items()) for c in counters}) == 1

    def summed(parts):
        return {key: np.sum([part[key] for part in parts], axis=0) for key in counters[0]}

    at_once = metric.score(summed(counters))
    in_parts = metric.score(summed([summed(counters[3:]), summed(counters[2::-1])]))
    assert at_once.keys() == in_parts.keys()
    np.testing.assert_allclose(list(in_parts.values()), list(at_once.values()), rtol=1e-12)
    assert any(np.isfinite(list(at_once.values()))) or name == "trimap"
    assert all(type(value) is float for value in at_once.values())
    # One image more is another score: nothing above is constant.
    if name != "trimap":
        assert metric.score(summed(counters[:-1])) != at_once


def test_metrics_come_in_the_order_of_their_names_with_the_published_defaults(classes):
    metrics = make_metrics(FOUR, classes=classes)
    assert tuple(metrics) == FOUR
    assert metrics["calibration"].bins == 15
    assert metrics["boundary_f"].tolerance == 0.0075
    assert metrics["boundary_iou"].dilation_ratio == 0.02
    assert max(metrics["trimap"].widths) == 40
    assert all(metric.classes == classes for metric in metrics.values())


def test_metrics_say_what_they_read(classes):
    metrics = make_metrics(FOUR, classes=classes)
    metrics |= make_metrics(["isbi"], classes=("membrane", "cell"))
    metrics |= make_metrics(["iiou"], classes=tuple(OBJECTS))
    assert {n for n, m in metrics.items() if m.needs_probabilities} == {"calibration", "isbi"}
    assert {n for n, m in metrics.items() if m.needs_instances} == {"iiou"}


@pytest.mark.parametrize("name", FOUR)
def test_no_image_gives_nan_without_a_warning(name, classes, draw):
    metric = make_metrics([name], classes=classes)[name]
    nothing = {key: np.zeros_like(value) for key, value in metric.count(draw(0)).items()}
    assert np.isnan(list(metric.score(nothing).values())).all()


@pytest.mark.parametrize("name", FOUR)
def test_a_label_of_ignored_pixels_counts_nothing(name, classes, draw):
    image = draw(0)
    void = dataclasses.replace(image, label=np.full_like(image.label, 255))
    metric = make_metrics([name], classes=classes)[name]
    assert not any(value.any() for value in metric.count(void).values())


def test_an_unknown_name_is_refused_with_the_field(classes):
    with pytest.raises(ValueError, match=r"'boundary_g'.*'boundary_f'.*config\.evaluate\.metrics"):
        make_metrics(["boundary_g"], classes=classes)


@pytest.mark.parametrize("name", ["isbi", "iiou"])
def test_a_metric_of_one_dataset_refuses_others(name, classes):
    with pytest.raises(ValueError, match=rf"'{name}'.*config\.evaluate\.metrics"):
        make_metrics([name], classes=classes)


@pytest.mark.parametrize(
    ("name", "what"), [("calibration", "probabilities"), ("iiou", "instances")]
)
def test_what_was_not_supplied_is_named(name, what, draw):
    metric = make_metrics([name], classes=tuple(OBJECTS))[name]
    image = dataclasses.replace(draw(0), probabilities=None)
    with pytest.raises(ValueError, match=rf"Prediction\.{what}.*needs_{what}"):
        metric.count(image)
