"""Evaluation counts every image once, the same for any batch size, order and device count."""

import itertools
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from seg_jax.evaluate.loop import evaluate
from seg_jax.evaluate.protocol import Protocol
from seg_jax.metrics.calibration import Calibration
from seg_jax.train.parallel import make_layout

SIZES = [(20, 26), (17, 17), (20, 26), (20, 26), (17, 17)]
SLIDING = Protocol(window="sliding", window_size=(16, 16), window_stride=(10, 10))


@pytest.fixture
def results(pictures, make_step, batches_of, variables):
    """Returns a function that evaluates pictures of SIZES by a protocol."""

    def run(protocol, *, sizes=SIZES, devices=1, batch_size=4, metrics=None, **options):
        batches = batches_of(
            pictures(sizes), protocol, batch_size=batch_size, num_devices=devices, **options
        )
        return evaluate(step(protocol, devices), variables, batches, metrics=metrics)

    made = {}

    def step(protocol, devices):
        if (protocol, devices) not in made:
            made[protocol, devices] = make_step(
                protocol, devices=devices, band_widths=(1, 2), probabilities=True
            )
        return made[protocol, devices]

    return run


@pytest.mark.parametrize("protocol", [Protocol(), SLIDING], ids=["whole", "sliding"])
def test_batch_size_and_device_count_do_not_matter(results, protocol):
    one = results(protocol, batch_size=1)
    assert one.ids == tuple(f"picture{i}" for i in range(5))
    assert one.positions == tuple(range(5))
    for devices, batch_size in ((1, 5), (2, 4)):
        other = results(protocol, devices=devices, batch_size=batch_size)
        assert other.ids == one.ids
        np.testing.assert_array_equal(other.confusion, one.confusion)
        np.testing.assert_array_equal(other.bands, one.bands)
    assert one.num_images == 5
    assert one.confusion.shape == (5, 4, 4)
    assert one.confusion_sum.dtype == np.int64
    np.testing.assert_array_equal(one.confusion_sum, one.confusion.sum(axis=0))
    # Bands of one pixel are part of those of two, and those of the image.
    assert (one.bands[:, 0] <= one.bands[:, 1]).all()
    assert (one.bands[:, 1] <= one.confusion).all()
    assert one.bands_sum[0].sum() > 0


def test_counts_are_those_of_the_label_and_the_prediction(results, pictures):
    found = results(Protocol(), num_samples=5)
    source = pictures(SIZES)
    assert found.samples["id"].tolist() == list(found.ids)
    for i in range(5):
        example, label = source[i], source[i]["label"]
        np.testing.assert_array_equal(found.samples[f"image_{i}"], example["image"])
        np.testing.assert_array_equal(found.samples[f"label_{i}"], label)
        prediction = found.samples[f"prediction_{i}"]
        expected, near = np.zeros((4, 4), int), np.zeros((4, 4), int)
        for y, x in np.ndindex(label.shape):
            if label[y, x] == 255:
                continue
            expected[label[y, x], prediction[y, x]] += 1
            window = label[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
            if len(set(window.flat) - {255}) > 1:
                near[label[y, x], prediction[y, x]] += 1
        np.testing.assert_array_equal(found.confusion[i], expected)
        np.testing.assert_array_equal(found.bands[i, 1], near)
    assert len(found.samples) == 1 + 3 * 5
    assert results(Protocol(), num_samples=2).samples["id"].tolist() == ["picture0", "picture1"]
    assert len(results(Protocol()).samples) == 1


class Objects:
    """Counts what it is given, of one image."""

    needs_probabilities = False
    needs_instances = True

    def count(self, image):
        assert image.probabilities is None or image.probabilities.shape[:2] == image.label.shape
        assert image.instances.shape == image.label.shape == image.prediction.shape
        same = (image.instances == image.label.astype(np.uint16) * 1000).all()
        return {"same": np.array(same), "hits": np.sum(image.prediction == image.label)}

    def score(self, counters):
        return {}


def test_metrics_are_counted_in_the_order_of_the_images(results):
    metrics = {"calibration": Calibration(("a", "b", "c", "d")), "objects": Objects()}
    # Sizes are taken one after the other, so that order is not that of the split.
    found = results(Protocol(), metrics=metrics, instances=True, batch_size=2)
    assert found.counters["objects/same"].tolist() == [True] * 5
    hits = np.trace(found.confusion, axis1=1, axis2=2)
    np.testing.assert_array_equal(found.counters["objects/hits"], hits)
    np.testing.assert_array_equal(found.counters["calibration/hits"].sum(axis=1), hits)
    # A probability of the highest of four classes is between a quarter and one.
    pixels = found.confusion.sum(axis=(1, 2))
    mean = found.counters["calibration/confidence"].sum(axis=1) / pixels
    assert ((mean > 0.25) & (mean <= 1)).all()


def test_processes_together_see_what_one_sees(pictures, make_step, batches_of, variables):
    step, source = make_step(SLIDING), pictures(SIZES)
    whole = evaluate(step, variables, batches_of(source, SLIDING))
    parts = [
        evaluate(
            step,
            variables,
            batches_of(source, SLIDING, num_devices=2, process_count=2, process_index=i),
        )
        for i in range(2)
    ]
    assert sorted(parts[0].positions + parts[1].positions) == list(whole.positions)
    for part in parts:
        assert part.positions
        assert part.ids == tuple(f"picture{i}" for i in part.positions)
        np.testing.assert_array_equal(part.confusion, whole.confusion[list(part.positions)])


def test_nothing_is_moved_to_the_device_or_back_unasked(pictures, make_step, batches_of, variables):
    protocol = Protocol(
        window="sliding", window_size=(16, 16), window_stride=(10, 10), scales=(1.25,), flip=True
    )
    step = make_step(protocol, devices=2, band_widths=(1,), probabilities=True)
    batches = list(batches_of(pictures(SIZES[:2]), protocol, num_devices=2))
    done = []
    with jax.transfer_guard("disallow"):
        metrics = {"calibration": Calibration(("a", "b", "c", "d"))}
        evaluate(step, variables, batches, metrics=metrics, on_progress=done.append)
    assert done == [2] if len(batches) == 1 else [1, 2]


@pytest.mark.parametrize(("backend", "height"), [("pmap", 1), ("shard_map", 1), ("mesh", 2)])
def test_it_runs_on_all_devices_as_training_does(
    pictures, make_step, batches_of, variables, results, backend, height
):
    layout = make_layout(backend, height_shards=height)
    step = make_step(SLIDING, map_step=layout.map_eval_step)
    batches = list(
        batches_of(pictures(SIZES), SLIDING, num_devices=layout.num_data_shards, num_samples=1)
    )
    with jax.transfer_guard("disallow"):
        found = evaluate(step, variables, batches, get_rows=layout.get_rows)
    np.testing.assert_array_equal(found.confusion, results(SLIDING).confusion)


def test_the_first_batch_of_every_shape_is_not_timed(
    pictures, make_step, batches_of, variables, monkeypatch
):
    clock = SimpleNamespace(perf_counter=itertools.count().__next__)
    monkeypatch.setattr("seg_jax.evaluate.loop.time", clock)
    step = make_step(Protocol())
    first = evaluate(step, variables, batches_of(pictures(SIZES[:2])))
    assert first.images_per_second == 0
    # One tick a batch; of the sizes' two and two batches one compiles each.
    found = evaluate(step, variables, batches_of(pictures(SIZES[1:]), batch_size=1))
    assert found.images_per_second == 1.0


def test_an_empty_split_is_refused(make_step, variables):
    with pytest.raises(ValueError, match=r"empty; set config.dataset.eval_split"):
        evaluate(make_step(Protocol()), variables, [])
