import dataclasses

import numpy as np
import pytest

from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.scenes.builder import Scenes
from seg_jax.data.source import PreparedSource, open_source


class FewScenes(Scenes):
    SPEC = dataclasses.replace(Scenes.SPEC, splits={"train": 5, "val": 2, "size_6": 3}, probes=())


def test_what_is_built_is_what_is_drawn_on_demand(tmp_path, monkeypatch):
    monkeypatch.setattr("seg_jax.data.preparation.prepare.builder_class", lambda *_: FewScenes)
    assert prepare("scenes", data_dir=tmp_path).splits == FewScenes.SPEC.splits
    for split, count in FewScenes.SPEC.splits.items():
        built = PreparedSource(FewScenes, split, data_dir=tmp_path)
        drawn = open_source("scenes", split)
        assert len(built) == count
        for one, other in zip(built, drawn, strict=False):
            assert one["id"] == other["id"]
            np.testing.assert_array_equal(one["image"], other["image"])
            np.testing.assert_array_equal(one["label"], other["label"])


def test_no_file_is_needed(tmp_path):
    source = open_source("scenes", "train", data_dir=tmp_path)
    assert len(source) == 4000
    assert source[3999]["id"] == "train_03999"
    assert list(tmp_path.iterdir()) == []
    for index in (-1, 4000):
        with pytest.raises(IndexError, match=r"not in 0\.\.3999"):
            source[index]
