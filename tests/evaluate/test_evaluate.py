"""Evaluation counts every image once, the same for any batch size and device count."""

import itertools
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.evaluate.loop import evaluate
from seg_jax.evaluate.step import make_eval_step
from seg_jax.labels import IGNORE_LABEL
from seg_jax.metrics.confusion import scores
from seg_jax.preprocess import IMAGENET, normalise
from seg_jax.train.parallel import map_eval_step

RANDOM = np.random.RandomState(0)
IMAGES = RANDOM.randint(0, 256, (11, 8, 9, 3)).astype(np.uint8)
LABELS = RANDOM.randint(0, 4, (11, 8, 9)).astype(np.uint8)
LABELS[RANDOM.rand(*LABELS.shape) < 0.1] = IGNORE_LABEL


def batches(batch_size):
    for start in range(0, len(IMAGES), batch_size):
        image, label = IMAGES[start : start + batch_size], LABELS[start : start + batch_size]
        missing = batch_size - len(image)
        yield {
            "image": np.pad(image, ((0, missing), (0, 0), (0, 0), (0, 0))),
            "label": np.pad(label, ((0, missing), (0, 0), (0, 0)), constant_values=IGNORE_LABEL),
            "id": [f"image{start + i}" for i in range(len(image))],
            "num_examples": len(image),
        }


@pytest.fixture
def setting(toy):
    model = toy()
    variables = model.init(jax.random.key(1), jnp.zeros((1, 8, 8, 3)), train=False)
    step = make_eval_step(model, IMAGENET, num_classes=4, band_widths=(1, 2))
    return model, variables, step


def test_counts_equal_a_loop_over_single_images(setting):
    model, variables, step = setting
    result = evaluate(map_eval_step(step, backend="pmap"), variables, batches(4), num_samples=5)
    expected = np.zeros((4, 4), int)
    for image, label in zip(IMAGES, LABELS, strict=True):
        logits = model.apply(
            variables, normalise(jnp.asarray(image[None]), IMAGENET), train=False
        ).logits
        prediction = np.argmax(np.asarray(logits[0]), axis=-1)
        for y, x in np.ndindex(label.shape):
            if label[y, x] != IGNORE_LABEL:
                expected[label[y, x], prediction[y, x]] += 1
    np.testing.assert_array_equal(result.confusion, expected)
    assert result.num_images == 11
    assert result.samples["id"].tolist() == [f"image{i}" for i in range(5)]
    for i in range(5):
        np.testing.assert_array_equal(result.samples[f"image_{i}"], IMAGES[i])
        np.testing.assert_array_equal(result.samples[f"label_{i}"], LABELS[i])
    assert len(result.samples) == 1 + 3 * 5
    # Wider bands hold more pixels, and none more than the whole image.
    totals = [band.sum() for band in result.bands]
    assert 0 < totals[0] < totals[1] <= expected.sum()


def test_batch_size_and_device_count_do_not_matter(setting):
    _, variables, step = setting
    one = map_eval_step(step, backend="shard_map", devices=jax.devices()[:1])
    four = map_eval_step(step, backend="pmap")
    results = [
        evaluate(mapped, variables, batches(size))
        for mapped, size in ((one, 1), (one, 3), (four, 4), (four, 8))
    ]
    for result in results[1:]:
        np.testing.assert_array_equal(result.confusion, results[0].confusion)
        np.testing.assert_array_equal(result.bands, results[0].bands)
        assert scores(result.confusion).miou == scores(results[0].confusion).miou


def test_images_of_several_sizes_count_as_each_by_itself(setting):
    _, variables, step = setting
    mapped = map_eval_step(step, backend="shard_map", devices=jax.devices()[:1])
    rows = [(IMAGES[i, : 8 - i % 2], LABELS[i, : 8 - i % 2]) for i in range(5)]

    def grouped(*groups):
        for group in groups:
            yield {
                "image": np.stack([rows[i][0] for i in group]),
                "label": np.stack([rows[i][1] for i in group]),
                "id": [f"image{i}" for i in group],
                "num_examples": len(group),
            }

    result = evaluate(mapped, variables, grouped((0, 2), (4,), (1, 3)), num_samples=4)
    single = evaluate(mapped, variables, grouped(*((i,) for i in range(5))), num_samples=9)
    np.testing.assert_array_equal(result.confusion, single.confusion)
    assert result.num_images == 5
    assert result.samples["id"].tolist() == ["image0", "image2", "image4", "image1"]
    for place, i in enumerate((0, 2, 4, 1)):
        np.testing.assert_array_equal(result.samples[f"image_{place}"], rows[i][0])
        for kind in ("label", "prediction"):
            shown = result.samples[f"{kind}_{place}"]
            np.testing.assert_array_equal(shown, single.samples[f"{kind}_{i}"])
            assert shown.dtype == np.uint8


def test_the_first_batch_of_every_size_is_not_timed(setting, monkeypatch):
    _, variables, step = setting
    mapped = map_eval_step(step, backend="shard_map", devices=jax.devices()[:1])
    clock = SimpleNamespace(perf_counter=itertools.count().__next__)
    monkeypatch.setattr("seg_jax.evaluate.loop.time", clock)

    def sized(*heights):
        for height in heights:
            image, label = IMAGES[:2, :height], LABELS[:2, :height]
            yield {"image": image, "label": label, "id": ["a", "b"], "num_examples": 2}

    assert evaluate(mapped, variables, sized(8, 7)).images_per_second == 0
    # One tick a batch of two images, and only two of the four batches compile nothing.
    assert evaluate(mapped, variables, sized(8, 8, 7, 7)).images_per_second == 2.0


def test_an_empty_split_is_refused(setting):
    _, variables, step = setting
    with pytest.raises(ValueError, match=r"empty; set config.dataset.eval_split"):
        evaluate(map_eval_step(step, backend="pmap"), variables, batches=iter(()))
