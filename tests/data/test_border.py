"""U-Net's weights between objects, against a loop over pixels."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_jax.data.augment import Augmentation
from seg_jax.data.border import BorderSource, border_weights
from seg_jax.data.pipeline.train import train_batches
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import open_source
from seg_jax.data.validate import Origin
from seg_jax.data.views import CachedSource


def loop(instances, weight, sigma):
    """Equation 2 by the distance to every pixel of every object."""
    weights = np.zeros(instances.shape)
    numbers = sorted(set(instances.ravel().tolist()) - {0})
    places = {number: np.argwhere(instances == number) for number in numbers}
    for pixel in np.argwhere(instances == 0):
        distances = sorted(
            np.sqrt(((places[number] - pixel) ** 2).sum(1)).min() for number in numbers
        )
        if len(distances) > 1:
            gap = distances[0] + distances[1]
            weights[tuple(pixel)] = weight * math.exp(-(gap**2) / (2 * sigma**2))
    return weights


def blobs(seed, shape, count):
    """Rectangles under numbers with gaps between them, some hidden, some in two parts."""
    rng = np.random.default_rng(seed)
    instances = np.zeros(shape, np.uint16)
    for number in rng.choice(np.arange(1, 60_000), count, replace=False):
        for _ in range(rng.integers(1, 3)):
            y, x = (int(rng.integers(0, n)) for n in shape)
            instances[y : y + rng.integers(1, 9), x : x + rng.integers(1, 9)] = number
    return instances


@settings(max_examples=40, deadline=None, database=None)
@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    count=st.integers(0, 8),
    sigma=st.sampled_from([0.6, 1.0, 2.0, 5.0]),
)
def test_weights_are_those_of_a_loop(seed, shape, count, sigma):
    instances = blobs(seed, shape, count)
    expected = loop(instances, 10.0, sigma)
    actual = border_weights(instances, 10.0, sigma)
    assert actual.dtype == np.float32
    # Both are 0 inside objects; outside, less than a thousandth of the weight is none.
    kept = np.where(expected >= 0.01, expected, 0)
    doubtful = np.isclose(expected, 0.01, rtol=1e-4)
    np.testing.assert_allclose(actual[~doubtful], kept[~doubtful], rtol=2e-5)


def test_a_gap_of_one_pixel_between_two_of_three_objects():
    instances = np.zeros((3, 40), np.uint16)
    instances[:, :10], instances[:, 11:14], instances[:, 38:] = 7, 300, 2
    weights = border_weights(instances, 10.0, 5.0)
    np.testing.assert_allclose(weights[:, 10], 10 * math.exp(-(2**2) / 50), rtol=1e-6)
    np.testing.assert_array_equal(weights[:, 24:38], 0)
    np.testing.assert_array_equal(weights[instances > 0], 0)
    # The nearest is 300, the second 7.
    np.testing.assert_allclose(weights[:, 14], 10 * math.exp(-((1 + 5) ** 2) / 50), rtol=1e-6)


class Cells:
    """Pictures with objects, which count how often they are looked at."""

    checksum = "of cells"

    def __init__(self, maps, bad=()):
        self.maps, self.bad, self.looks = maps, bad, 0

    def __len__(self):
        return len(self.maps)

    def __getitem__(self, index):
        label = (self.maps[index] > 0).astype(np.uint8)
        return {"image": np.stack([label] * 3, -1), "label": label, "id": f"n{index}"}

    def instances(self, index):
        if index in self.bad:
            raise Origin("cells", "train", f"n{index}").fault("label", "is bad.")
        self.looks += 1
        return self.maps[index]

    def size(self, index):
        return self.maps[index].shape


def test_a_source_gives_weights_beside_its_examples_and_computes_them_once():
    cells = Cells([blobs(i, (20, 30), 5) for i in range(3)])
    source = BorderSource(cells, 10.0, 5.0)
    cells.looks = 0
    for _ in range(3):
        for i in range(3):
            example = source[i]
            assert set(example) == {"image", "label", "id", "border"}
            assert example["id"] == f"n{i}"
            np.testing.assert_array_equal(
                example["border"], border_weights(cells.maps[i], 10.0, 5.0)
            )
    assert cells.looks == 3
    with pytest.raises(ValueError, match="read-only"):
        source[0]["border"][0, 0] = 1
    assert "border" not in cells[0]
    assert len(source) == 3
    assert source.size(1) == (20, 30)
    assert source.checksum == "of cells"


@pytest.mark.parametrize(
    "values", [(0.0, 5.0), (-1.0, 5.0), (math.nan, 5.0), (math.inf, 5.0), (10.0, 0.0)]
)
def test_weights_that_cannot_be_are_refused(values):
    field = "border_sigma" if values[0] == 10 else "border_weight"
    with pytest.raises(ValueError, match=rf"^config\.loss\.{field}=.* must be a positive number"):
        BorderSource(Cells([]), *values)


def test_a_dataset_without_objects_is_refused_in_a_sentence(memory_source):
    scenes, plain = open_source("scenes", "val"), memory_source([np.zeros((2, 2), np.uint8)])
    for source in (scenes, plain):
        with pytest.raises(ValueError, match=r"set config\.loss\.border_weight to 0.*no objects"):
            BorderSource(source, 10.0, 5.0)


def test_a_defect_is_not_taken_for_a_dataset_without_objects():
    class Broken(Cells):
        def instances(self, index):
            return {}["a defect"]

    with pytest.raises(KeyError, match="a defect"):
        BorderSource(Broken([blobs(0, (9, 9), 2)]), 10.0, 5.0)


def test_a_bad_first_picture_is_left_to_training():
    cells = Cells([blobs(0, (9, 9), 2)] * 2, bad=(0,))
    assert BorderSource(cells, 10.0, 5.0)[1]["border"].shape == (9, 9)


def test_the_membranes_of_a_fold_of_isbi2012_weigh(asset, tmp_path):
    prepare("isbi2012", data_dir=tmp_path, manual_dir=asset("data/isbi2012"))
    fold = open_source("isbi2012", "fold0_train", data_dir=tmp_path)
    source = BorderSource(CachedSource(fold), 10.0, 5.0)
    example = source[len(source) - 1]
    membrane = example["label"] == 0
    assert not example["border"][~membrane].any()
    assert (example["border"][membrane] > 0).mean() > 0.9
    # A gap of one pixel is the narrowest.
    assert example["border"].max() == pytest.approx(10 * math.exp(-(2**2) / 50))
    # The whole path: deformed with its image, and in the batch.
    augmentation = Augmentation((128, 128), rotation=180.0, elastic=10.0)
    stream = train_batches(source, augmentation, batch_size=2, seed=0, num_threads=0)
    batch = next(stream)
    stream.close()
    assert batch["border"].shape == (2, 128, 128)
    assert batch["border"].max() > 5
    assert set(batch["id"]) <= {fold[i]["id"] for i in range(len(fold))}
