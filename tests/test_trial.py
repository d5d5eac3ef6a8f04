"""A whole trial on pictures of several sizes, one of them bad: result, predictions, report."""

import json

import numpy as np
import pytest

from seg_jax.assemble import data
from seg_jax.config import base_config
from seg_jax.data.validate import Origin
from seg_jax.evaluate.records import read_records
from seg_jax.metrics.confusion import scores
from seg_jax.report.pictures import read_predictions
from seg_jax.trial import Events, evaluate_again, run_trial

SIZES = {"train": [(40, 40)], "size_6": [(24, 16), (16, 24), (16, 24)]}


class Striped:
    """Pictures of two classes; picture 0 of the training split cannot be read."""

    def __init__(self, split, count):
        self.split, self.count = split, count
        self.checksum = f"of {count} in {split}"

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if (self.split, index) == ("train", 0):
            raise Origin("striped", "train", "s0").fault("image", "is bad. Repair it.")
        label = np.zeros(self.size(index), np.uint8)
        label[:, :: index + 2] = 1
        return {"image": np.stack([100 * label] * 3, -1), "label": label, "id": f"s{index}"}

    def size(self, index):
        return SIZES[self.split][index % len(SIZES[self.split])]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder and the config of a trial that ran."""
    config = base_config()
    config.dataset.eval_split = "size_6"
    config.dataset.max_bad_examples = 1
    config.augment.crop_size = (16, 16)
    config.model = {"name": "unet", "base_features": 4, "depth": 1}
    config.train.num_steps = 3
    config.train.batch_size = config.evaluate.batch_size = 4
    config.evaluate.probes = False
    config.evaluate.boundary_widths = (1,)
    config.evaluate.num_pictures = 4
    config.evaluate.flip = True
    config.evaluate.metrics = ("calibration",)
    workdir = tmp_path_factory.mktemp("trial")
    with pytest.MonkeyPatch.context() as patch:
        counts = {"train": 5, "size_6": 8}
        patch.setattr(data, "open_split", lambda config, split: Striped(split, counts[split]))
        result = run_trial(
            config, workdir, Events(str, str, lambda done, total: None, lambda: False)
        )
        again = evaluate_again(config, workdir)
    return workdir, result, again


def test_the_result_says_what_data_it_is_of(finished):
    workdir, result, again = finished
    assert result == json.loads((workdir / "result.json").read_text())
    evaluated = {"split": "size_6", "num_examples": 8, "sha256": "of 8 in size_6"}
    trained = {"split": "train", "num_examples": 5, "sha256": "of 5 in train"}
    assert result["data"] == {"eval": evaluated, "probes": [], "train": trained, "skipped": 1}
    again, _ = again
    assert again["data"] == {"eval": evaluated}
    assert again["metrics"] == result["metrics"]


def test_a_result_can_be_computed_again_from_its_records(finished):
    workdir, result, (_, records) = finished
    ids, counters = read_records(workdir / "per_image.npz")
    assert ids == records.ids == tuple(f"s{index}" for index in range(8))
    assert counters.keys() == {"confusion", "boundary/1", "calibration/pixels", *records.counters}
    assert counters["confusion"].sum(axis=0).tolist() == result["confusion"]
    assert scores(counters["boundary/1"].sum(axis=0)).miou == result["boundary_miou"]["1"]
    assert 0 <= result["metrics"]["ece"] <= 1


def test_every_miou_has_its_interval(finished):
    _, result, _ = finished
    found = [(result["metrics"]["miou"], result["intervals"]["miou"])]
    found.append((result["boundary_miou"]["1"], result["boundary_intervals"]["1"]))
    found.append((result["metrics"]["ece"], result["intervals"]["ece"]))
    for miou, (low, high) in found:
        assert low < miou < high


def test_the_result_names_its_protocol(finished):
    _, result, _ = finished
    assert result["protocol"]["flip"] is True
    assert result["protocol_text"] == "whole image, native size, flips"


def test_every_picture_counts_whatever_its_size(finished):
    _, result, _ = finished
    assert result["num_eval_images"] == 8
    assert np.sum(result["confusion"]) == 8 * 16 * 24
    assert result["image_size"] == [16, 24]


def test_predictions_keep_the_sizes_of_their_pictures(finished):
    workdir, _, _ = finished
    found = read_predictions(workdir / "predictions.npz")
    # In the order of the split, whatever their sizes.
    assert list(found) == ["s0", "s1", "s2", "s3"]
    source = Striped("size_6", 8)
    for name, (image, label, prediction) in found.items():
        expected = source[int(name[1:])]
        np.testing.assert_array_equal(image, expected["image"])
        np.testing.assert_array_equal(label, expected["label"])
        assert prediction.shape == label.shape
