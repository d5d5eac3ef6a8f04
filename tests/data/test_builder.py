import json

import pytest
import tensorflow_datasets as tfds

from seg_jax.data.datasets.camvid import SPEC, CamVid
from seg_jax.data.preparation.prepare import prepare


@pytest.mark.parametrize("file_format", ["parquet", "tfrecord", "riegeli"])
def test_formats_that_lose_rows_or_need_tensorflow_are_refused(tmp_path, file_format):
    with pytest.raises(ValueError, match=f"{file_format!r} is not supported"):
        CamVid(data_dir=tmp_path, file_format=file_format)


def test_tfds_itself_can_read_what_was_written(camvid_tree, tmp_path):
    path = prepare("camvid", data_dir=tmp_path / "data", manual_dir=camvid_tree(train=2)).path
    builder = tfds.builder_from_directory(path)
    assert builder.info.metadata["classes"] == list(SPEC.classes)
    examples = builder.as_data_source("train")
    assert [example["id"] for example in examples] == [b"train_0", b"train_1"]
    assert examples[0]["image"].shape == (12, 16, 3)
    assert examples[0]["label"].shape == (12, 16, 1)
    assert json.loads((path / "dataset_info.json").read_text())["fileFormat"] == "array_record"


def test_our_names_stay_out_of_the_registry_of_tfds():
    assert "camvid" not in tfds.list_builders(with_community_datasets=False)
