import os

import numpy as np
import pytest

from seg_jax.data.catalogue import DATA_DIR_VARIABLE, resolve_data_dir, spec_of
from seg_jax.data.datasets import camvid
from seg_jax.data.items import Parts
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import open_source
from seg_jax.data.validate import DataError
from seg_jax.registry import UnknownNameError


def test_unknown_names_are_answered_by_the_nearest():
    with pytest.raises(UnknownNameError, match=r"'scene'. Did you mean 'scenes'.*dataset.name"):
        spec_of("scene")
    with pytest.raises(UnknownNameError, match=r"'vall'. Did you mean 'val'.*eval_split"):
        open_source("scenes", "vall")


def test_a_dataset_that_is_not_there_names_the_command(tmp_path):
    command = "Run `python launch.py prepare --dataset=camvid`"
    with pytest.raises(FileNotFoundError, match=command):
        open_source("camvid", "val", data_dir=tmp_path)


def test_the_data_dir_is_the_field_then_the_variable_then_the_default(monkeypatch, tmp_path):
    monkeypatch.setenv(DATA_DIR_VARIABLE, str(tmp_path / "variable"))
    assert resolve_data_dir(tmp_path / "field") == tmp_path / "field"
    assert resolve_data_dir("") == tmp_path / "variable"
    monkeypatch.delenv(DATA_DIR_VARIABLE)
    assert str(resolve_data_dir("")) == os.path.expanduser("~/.cache/seg_jax/datasets")


def test_positions_outside_the_split_are_refused(camvid_tree, tmp_path):
    prepare("camvid", data_dir=tmp_path / "data", manual_dir=camvid_tree(train=2))
    source = open_source("camvid", "train", data_dir=tmp_path / "data")
    assert len(list(source)) == len(source) == 2
    for index in (-1, 2):
        with pytest.raises(IndexError, match=r"not in 0\.\.1"):
            source[index]


def test_an_image_damaged_after_preparation_names_its_example(camvid_tree, tmp_path):
    prepare("camvid", data_dir=tmp_path / "data", manual_dir=camvid_tree(val=2))
    source = open_source("camvid", "val", data_dir=tmp_path / "data")
    records = source._records

    class Damaged:
        def __len__(self):
            return len(records)

        def __getitem__(self, index):
            record = dict(records[index])
            return record | {"image": record["image"][:-30]} if index else record

    source._records = Damaged()
    assert source[0]["id"] == "val_0"
    with pytest.raises(DataError, match=r"image of example 'val_1' of camvid, split 'val' cannot"):
        source[1]


def with_objects(item, origin):
    ids = camvid.read(item, origin).ids
    return Parts(ids, np.arange(ids.size, dtype=np.uint16).reshape(ids.shape) * 300)


def test_objects_are_read_where_the_dataset_knows_them(tmp_path, camvid_tree, monkeypatch):
    prepare("camvid", data_dir=tmp_path / "plain", manual_dir=camvid_tree(train=1))
    source = open_source("camvid", "train", data_dir=tmp_path / "plain")
    with pytest.raises(LookupError, match="'camvid' knows no objects"):
        source.instances(0)
    monkeypatch.setattr(camvid.CamVid, "INSTANCES", True)
    monkeypatch.setattr(camvid.CamVid, "reader", lambda self, root: with_objects)
    prepare("camvid", data_dir=tmp_path / "data", manual_dir=tmp_path / "published")
    objects = open_source("camvid", "train", data_dir=tmp_path / "data").instances(0)
    assert objects.dtype == np.uint16
    np.testing.assert_array_equal(objects.ravel(), np.arange(objects.size) * 300)
