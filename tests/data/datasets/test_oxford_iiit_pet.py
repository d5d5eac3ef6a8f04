import dataclasses
import io
import tarfile

import cv2
import numpy as np
import pytest
from PIL import Image

from seg_jax.data.catalogue import spec_of
from seg_jax.data.datasets import oxford_iiit_pet
from seg_jax.data.datasets.oxford_iiit_pet import OxfordIIITPet
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import PreparedSource, open_source
from seg_jax.data.spec import Archive
from seg_jax.data.validate import DataError

TRAINVAL = tuple(f"Abyssinian_{n}" for n in (100, 101, 102)) + tuple(
    f"yorkshire_terrier_{n}" for n in range(8)
)
TEST = ("Abyssinian_201", "Sphynx_7")
HELD_OUT = ("yorkshire_terrier_1", "yorkshire_terrier_6")  # the fifth and the tenth
SIZE = (18, 26)
FORMATS = {"Abyssinian_101": "GIF", "Sphynx_7": "PNG", "yorkshire_terrier_1": "BMP"}


def image_file(name):
    pixels = np.random.default_rng(len(name)).integers(0, 256, (*SIZE, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, FORMATS.get(name, "JPEG"))
    return out.getvalue()


def trimap_of(name):
    trimap = np.full(SIZE, 2, np.uint8)
    trimap[3:15, 4:20] = 3
    trimap[5:13, 6 + len(name) % 4 : 18] = 1
    return trimap


@pytest.fixture
def root(tmp_path):
    """Both archives unpacked side by side, with the files of macOS that one of them has."""
    given = tmp_path / "given"
    (given / "images").mkdir(parents=True)
    (given / "annotations" / "trimaps").mkdir(parents=True)
    for name in (*TRAINVAL, *TEST, "Abyssinian_5"):  # the last is in no list
        (given / "images" / f"{name}.jpg").write_bytes(image_file(name))
        trimaps = given / "annotations" / "trimaps"
        cv2.imwrite(str(trimaps / f"{name}.png"), trimap_of(name))
        (trimaps / f"._{name}.png").write_bytes(b"\0\5\x16\7")
    for split, names in {"trainval": TRAINVAL, "test": TEST}.items():
        lines = "".join(f"{name} 1 1 1\n" for name in names)
        (given / "annotations" / f"{split}.txt").write_text(lines)
    return given


def test_the_published_counts():
    spec = spec_of("oxford_iiit_pet")
    assert spec.splits["test"] == 3669
    assert sum(spec.splits[split] for split in spec.derived["trainval"].of) == 3680
    assert spec.splits["val"] == 3680 // 5


def test_prepared_examples_are_the_published_ones(root, tmp_path):
    prepared = prepare("oxford_iiit_pet", data_dir=tmp_path / "data", manual_dir=root)
    assert prepared.splits == {"train": 9, "val": 2, "test": 2}
    kept = tuple(name for name in TRAINVAL if name not in HELD_OUT)
    splits = {"train": kept, "val": HELD_OUT, "trainval": (*kept, *HELD_OUT), "test": TEST}
    for split, names in splits.items():
        source = open_source("oxford_iiit_pet", split, data_dir=tmp_path / "data")
        assert tuple(example["id"] for example in source) == names
        for example in source:
            trimap = trimap_of(example["id"])
            expected = np.select([trimap == 1, trimap == 2], [1, 0], 255)
            np.testing.assert_array_equal(example["label"], expected)
            image = Image.open(io.BytesIO(image_file(example["id"]))).convert("RGB")
            # Two decoders of JPEG differ by rounding.
            difference = example["image"].astype(int) - np.asarray(image)
            assert np.abs(difference).max() <= (4 if example["id"] not in FORMATS else 0)


@pytest.mark.parametrize(
    ("split", "name", "kept"),
    [
        ("train", "Abyssinian_100", True),
        ("test", "Sphynx_7", True),
        ("train", "Abyssinian_101", False),
        ("val", "yorkshire_terrier_1", False),
    ],
)
def test_jpeg_and_png_are_kept_and_all_else_becomes_png(root, tmp_path, split, name, kept):
    prepare("oxford_iiit_pet", data_dir=tmp_path / "data", manual_dir=root)
    source = PreparedSource(OxfordIIITPet, split, data_dir=tmp_path / "data")
    records = [source.record(index) for index in range(len(source))]
    (stored,) = [record["image"] for record in records if record["id"].decode() == name]
    if kept:
        assert stored == image_file(name)
    else:
        assert stored.startswith(b"\x89PNG")


@pytest.mark.parametrize("value", [0, 4, 255])
def test_a_wrong_trimap_is_named(root, tmp_path, value):
    path = root / "annotations" / "trimaps" / f"{TEST[0]}.png"
    trimap = trimap_of(TEST[0])
    trimap[0, :2] = value
    cv2.imwrite(str(path), trimap)
    message = rf"Abyssinian_201.png\) holds the values \[{value}\] in 2 pixels.*3 \(border\)"
    with pytest.raises(DataError, match=message):
        prepare("oxford_iiit_pet", data_dir=tmp_path / "data", manual_dir=root)


def test_what_is_no_image_is_named(root, tmp_path):
    (root / "images" / "Abyssinian_102.jpg").write_bytes(b"<html>not found</html>")
    with pytest.raises(DataError, match=r"images/Abyssinian_102.jpg\) cannot be decoded"):
        prepare("oxford_iiit_pet", data_dir=tmp_path / "data", manual_dir=root)


@pytest.mark.parametrize("gone", ["annotations", "images"])
def test_a_missing_folder_says_what_to_fetch(root, gone):
    (root / gone).rename(root / "renamed")
    with pytest.raises(FileNotFoundError, match=rf"^{gone}.*images.tar.gz and annotations.tar.gz"):
        OxfordIIITPet(data_dir=root / "unused").list_items(root)


def test_the_archives_are_found_where_they_are_unpacked(root, tmp_path, monkeypatch):
    archives = []
    for archive, folder in zip(
        oxford_iiit_pet.SPEC.archives, ("images", "annotations"), strict=True
    ):
        served = tmp_path / archive.file
        with tarfile.open(served, "w:gz") as out:
            out.add(root / folder, folder)
        archives.append(Archive(served.as_uri(), archive.file))
    spec = dataclasses.replace(oxford_iiit_pet.SPEC, archives=tuple(archives))
    monkeypatch.setattr(OxfordIIITPet, "SPEC", spec)
    assert prepare("oxford_iiit_pet", data_dir=tmp_path / "data").splits["train"] == 9
