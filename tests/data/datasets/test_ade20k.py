import dataclasses
import hashlib
import json
import zipfile

import cv2
import numpy as np
import pytest

from seg_jax.data.datasets import ade20k
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import open_source
from seg_jax.data.spec import Archive
from seg_jax.data.validate import DataError

SIZE = (12, 14)
# Every value that a label of the challenge may hold, 0..150, and some of them twice.
VALUES = np.resize(np.arange(151), SIZE).astype(np.uint8)
FOLDERS = {"training": "ADE_train_{:08d}", "validation": "ADE_val_{:08d}"}


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)


@pytest.fixture
def tree(tmp_path):
    """Two training pictures, the second one grey, and a validation one, as the zip unpacks."""
    root = tmp_path / "published" / "ADEChallengeData2016"
    color = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    for folder, name in FOLDERS.items():
        for number in (1, 2) if folder == "training" else (1,):
            image = color if number == 1 else color[..., 0]
            write(root / "images" / folder / f"{name.format(number)}.jpg", image)
            write(root / "annotations" / folder / f"{name.format(number)}.png", VALUES)
    return root


@pytest.mark.parametrize("inside", [True, False])
def test_classes_are_one_less_than_the_values_and_zero_is_ignored(tree, tmp_path, inside):
    given = tree if inside else tree.parent
    prepared = prepare("ade20k", data_dir=tmp_path / "data", manual_dir=given)
    assert prepared.splits == {"train": 2, "val": 1}
    for split in prepared.splits:
        for example in open_source("ade20k", split, data_dir=tmp_path / "data"):
            assert example["image"].shape == (*SIZE, 3)
            for (row, column), value in np.ndenumerate(VALUES):
                assert example["label"][row, column] == (value - 1 if value else 255)


def test_ids_are_the_file_names_in_order(tree, tmp_path):
    prepare("ade20k", data_dir=tmp_path / "data", manual_dir=tree)
    source = open_source("ade20k", "train", data_dir=tmp_path / "data")
    assert [example["id"] for example in source] == ["ADE_train_00000001", "ADE_train_00000002"]


def test_names_and_colours_are_the_published_ones():
    # Taken from objectInfo150.txt (the first name of each row) and color150.mat of
    # https://github.com/CSAILVision/sceneparsing: SHA-256 of json.dumps([names, colours]).
    table = json.dumps([ade20k.SPEC.classes, ade20k.SPEC.palette])
    assert hashlib.sha256(table.encode()).hexdigest() == (
        "bac281cd9889d14a7765da66feeb8338fd66309642e3d60139d792e01d9cf982"
    )
    known = {0: "wall", 2: "sky", 12: "person", 20: "car", 149: "flag"}
    assert {i: ade20k.SPEC.classes[i] for i in known} == known
    assert ade20k.SPEC.palette[2] == (6, 230, 230)
    assert ade20k.SPEC.splits == {"train": 20_210, "val": 2000}


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (np.full(SIZE, 151, np.uint8), r"ADE_val_00000001.png\) holds the values \[151\].*0..150"),
        (np.full(SIZE, 255, np.uint8), r"holds the values \[255\].*Do not reduce"),
        (np.zeros((*SIZE, 3), np.uint8), r"ADE_val_00000001.png\) has 3 channels"),
        (
            np.zeros((3, 4), np.uint8),
            r"ADE_val_00000001.png\) is 3 x 4 px but its image is 12 x 14",
        ),
    ],
)
def test_a_faulty_label_is_named(tree, tmp_path, label, message):
    write(tree / "annotations" / "validation" / "ADE_val_00000001.png", label)
    with pytest.raises(DataError, match=r"of ade20k, split 'val'.*" + message):
        prepare("ade20k", data_dir=tmp_path / "data", manual_dir=tree)


def test_a_missing_label_is_named(tree, tmp_path):
    (tree / "annotations" / "training" / "ADE_train_00000002.png").unlink()
    with pytest.raises(DataError, match=r"ADE_train_00000002.png\) is missing"):
        prepare("ade20k", data_dir=tmp_path / "data", manual_dir=tree)


def test_the_archive_is_read_as_it_unpacks(tree, tmp_path, monkeypatch):
    archive = tmp_path / "served.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for path in tree.parent.rglob("*"):
            out.write(path, path.relative_to(tree.parent))
    offered = dataclasses.replace(
        ade20k.SPEC, archives=(Archive(archive.as_uri(), "ADEChallengeData2016.zip"),)
    )
    monkeypatch.setattr(ade20k.ADE20K, "SPEC", offered)
    assert prepare("ade20k", data_dir=tmp_path / "data").splits == {"train": 2, "val": 1}


def test_the_larger_ade20k_is_not_taken_for_it(tmp_path):
    write(tmp_path / "given/images/training/a/abbey/x.jpg", np.zeros((3, 4, 3), np.uint8))
    with pytest.raises(FileNotFoundError, match=r"ADEChallengeData2016.zip, not the larger"):
        prepare("ade20k", data_dir=tmp_path / "data", manual_dir=tmp_path / "given")
