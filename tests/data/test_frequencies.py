"""Pixels by class: from the manifest where there is one, else from every example."""

import numpy as np
import pytest

from seg_jax.data.derive import SubsetSource, UnionSource
from seg_jax.data.frequencies import count_class_pixels
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import open_source
from seg_jax.data.validate import Origin


def loop(labels, num_classes):
    pixels = [sum(int((label == k).sum()) for label in labels) for k in range(num_classes)]
    around = [sum(x.size for x in labels if (x == k).any()) for k in range(num_classes)]
    return tuple(pixels), tuple(around)


def test_a_source_without_a_manifest_is_counted_example_by_example(memory_source):
    rng = np.random.default_rng(0)
    labels = [rng.choice(np.uint8([0, 1, 3, 255]), (4 + i, 9)) for i in range(12)]
    labels[5][labels[5] == 3] = 0
    source = memory_source(labels)
    counted = count_class_pixels(source, 5)
    assert counted == loop(labels, 5)
    assert counted.pixels[2] == counted.around[2] == counted.pixels[4] == 0
    assert counted.around[3] < counted.around[0]
    assert source.reads == 12
    fold = SubsetSource(source, (1, 5))
    assert count_class_pixels(fold, 5) == loop([labels[1], labels[5]], 5)


def test_a_prepared_split_is_counted_without_decoding(camvid_tree, tmp_path, monkeypatch):
    prepare("camvid", data_dir=tmp_path / "data", manual_dir=camvid_tree(train=3, val=2))
    train, val = (open_source("camvid", s, data_dir=tmp_path / "data") for s in ("train", "val"))
    labels = [source[i]["label"] for source in (train, val) for i in range(len(source))]
    union = UnionSource([train, val])
    assert count_class_pixels(union, 11) == loop(labels, 11)

    def refuse(self, index):
        raise AssertionError("decoded")

    monkeypatch.setattr(type(train), "__getitem__", refuse)
    assert count_class_pixels(train, 11) == loop(labels[:3], 11)
    with pytest.raises(AssertionError, match="decoded"):
        count_class_pixels(union, 11)


def test_bad_examples_are_left_out_and_defects_are_not(memory_source):
    class Spoiled(memory_source):
        error: Exception = Origin("numbers", "train", "n1").fault("label", "is bad.")

        def __getitem__(self, index):
            if index == 1:
                raise self.error
            return super().__getitem__(index)

    labels = [np.full((2, 3), i, np.uint8) for i in range(3)]
    source = Spoiled(labels)
    assert count_class_pixels(source, 3).pixels == (6, 0, 6)
    source.error = TypeError("a defect")
    with pytest.raises(TypeError, match="a defect"):
        count_class_pixels(source, 3)
