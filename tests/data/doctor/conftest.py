"""A CamVid of a few pictures whose spec states exactly their number, so that nothing is wrong."""

import dataclasses

import pytest

from seg_jax.data.datasets.camvid import SPEC, CamVid
from seg_jax.data.doctor.files import examine_files
from seg_jax.data.doctor.findings import find
from seg_jax.data.preparation.prepare import prepare

COUNTS = {"train": 4, "val": 3}


@pytest.fixture
def sound_tree(camvid_tree, monkeypatch):
    """Returns the folder of 4 training and 3 validation pictures, and no other splits."""
    monkeypatch.setattr(CamVid, "SPEC", dataclasses.replace(SPEC, splits=COUNTS))
    return camvid_tree(**COUNTS)


@pytest.fixture
def look_at_files(tmp_path):
    """Returns a function (folder) -> (examined splits, findings) of a CamVid in files."""

    def look(root):
        builder = CamVid(data_dir=tmp_path / "nowhere")
        examined = examine_files(CamVid.SPEC, builder.list_items(root), builder.reader(root))
        return examined, find(CamVid.SPEC, examined)

    return look


@pytest.fixture
def prepared(sound_tree, tmp_path):
    """Returns the folder into which the sound tree was prepared."""
    prepare("camvid", data_dir=tmp_path / "data", manual_dir=sound_tree)
    return tmp_path / "data"
