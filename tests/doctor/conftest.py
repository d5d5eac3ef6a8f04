"""A CamVid of a few pictures with three splits, prepared, whose spec states their number."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from seg_jax.config import base_config
from seg_jax.data.datasets.camvid import SPEC, CamVid
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.spec import folds

COUNTS = {"train": 4, "val": 3, "test": 2}
HEIGHT, WIDTH = 24, 32


@pytest.fixture
def sound_tree(tmp_path, monkeypatch) -> Path:
    """Returns a folder in CamVid's layout with nothing wrong."""
    spec = dataclasses.replace(SPEC, splits=COUNTS, derived=folds("train", 2), unlabelled=("test",))
    monkeypatch.setattr(CamVid, "SPEC", spec)
    rng = np.random.default_rng(0)
    root = tmp_path / "published"
    for split, count in COUNTS.items():
        images, labels = root / split, root / f"{split}annot"
        images.mkdir(parents=True)
        labels.mkdir()
        for i in range(count):
            label = rng.integers(0, 11, (HEIGHT, WIDTH), np.uint8)
            label[:2] = 11
            if split == "test":
                label[:] = 11
            image = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
            cv2.imwrite(str(images / f"{split}_{i}.png"), image)
            cv2.imwrite(str(labels / f"{split}_{i}.png"), label)
    return root


@pytest.fixture
def prepared(sound_tree, tmp_path) -> Path:
    """Returns the folder into which the sound tree was prepared."""
    prepare("camvid", data_dir=tmp_path / "data", manual_dir=sound_tree)
    return tmp_path / "data"


@pytest.fixture
def make_config() -> Callable[..., object]:
    """Returns a function (dotted_field=value, ...) -> a config that fits the sound tree."""

    def make(**fields):
        config = base_config()
        config.dataset.name = "camvid"
        config.augment.crop_size = (16, 16)
        config.train.batch_size = 2
        for field, value in fields.items():
            section, _, leaf = field.partition("__")
            config[section][leaf] = value
        return config

    return make
