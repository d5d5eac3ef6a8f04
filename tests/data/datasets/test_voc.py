"""VOC on a small tree in the exact layout and encodings of VOC 2012 and SBD.

Ten images, every list with some of them:

    VOC train   t0 t1 t2      t1 is in SBD's train, t2 in SBD's val
    VOC val     v0 v1 v2 v3   v1 is in SBD's train, v2 in SBD's val
    SBD only    s0 (train) s1 (val) s2 (train)
"""

import dataclasses
import tarfile

import cv2
import numpy as np
import pytest
import scipy.io
from PIL import Image

from seg_jax.data.catalogue import spec_of
from seg_jax.data.datasets import voc
from seg_jax.data.datasets.voc import VOC
from seg_jax.data.palettes import voc_palette
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import open_source
from seg_jax.data.spec import Archive
from seg_jax.data.validate import DataError

TRAIN, VAL = ("t0", "t1", "t2"), ("v0", "v1", "v2", "v3")
SBD_TRAIN, SBD_VAL = ("s2", "v1", "t1", "s0"), ("t2", "s1", "v2")
OLDER_VAL = ("v3", "v1", "v0")
SIZE = (24, 32)


def label_of(name):
    """The class ids that VOC (or, for s*, SBD) gives an image: its class in a box, outlined."""
    ids = np.zeros(SIZE, np.uint8)
    ids[4:20, 6:26] = 255
    ids[6:18, 8:24] = 1 + sum(map(ord, name)) % 20
    return ids


def sbd_label_of(name):
    """SBD's view of the same image: another box, and no void."""
    ids = np.zeros(SIZE, np.uint8)
    ids[5:19, 7:25] = 1 + sum(map(ord, name)) % 20
    return ids


def write_palette(path, ids):
    image = Image.fromarray(ids)
    image.putpalette(np.array(voc_palette(256), np.uint8).tobytes())
    image.save(path)


def write_list(path, ids):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{i}\n" for i in ids))


def write_voc(folder):
    images, labels = folder / "JPEGImages", folder / "SegmentationClass"
    images.mkdir(parents=True)
    labels.mkdir()
    lists = folder / "ImageSets" / "Segmentation"
    for split, ids in {"train": TRAIN, "val": VAL, "trainval": (*TRAIN, *VAL)}.items():
        write_list(lists / f"{split}.txt", ids)
    for seed, name in enumerate((*TRAIN, *VAL, "s0", "s1", "s2")):
        image = np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), np.uint8)
        cv2.imwrite(str(images / f"{name}.jpg"), image)
    for name in (*TRAIN, *VAL):
        write_palette(labels / f"{name}.png", label_of(name))


def write_sbd(folder):
    (folder / "cls").mkdir(parents=True)
    write_list(folder / "train.txt", SBD_TRAIN)
    write_list(folder / "val.txt", SBD_VAL)
    for name in (*SBD_TRAIN, *SBD_VAL):
        struct = {"Segmentation": sbd_label_of(name)}
        scipy.io.savemat(folder / "cls" / f"{name}.mat", {"GTcls": struct}, do_compression=True)


def write_aug(folder, names):
    folder.mkdir()
    for name in names:
        ids = label_of(name) if name in TRAIN + VAL else sbd_label_of(name)
        cv2.imwrite(str(folder / f"{name}.png"), ids)


@pytest.fixture
def root(tmp_path):
    """A folder with VOCdevkit/VOC2012, as its archive unpacks."""
    write_voc(tmp_path / "published" / "VOCdevkit" / "VOC2012")
    return tmp_path / "published"


@pytest.fixture
def full(root):
    """The same with SBD beside it."""
    write_sbd(root / "benchmark_RELEASE" / "dataset")
    return root


@pytest.fixture
def lists(root):
    return root / "VOCdevkit" / "VOC2012" / "ImageSets" / "Segmentation"


def ids_of(root):
    builder = VOC(data_dir=root / "unused")
    return {
        split: tuple(item.id for item in items) for split, items in builder.list_items(root).items()
    }


def test_the_published_counts():
    spec = spec_of("voc")
    assert spec.splits == {
        "train": 1464,
        "val": 1449,
        "trainaug": 10582,
        "sbdd_train": 8498,
        "seg11valid": 736,
    }
    assert spec.num_classes == 21
    assert sum(spec.splits[split] for split in spec.derived["trainval"].of) == 2913


@pytest.mark.parametrize("width", [1, 2, 4, 8, 20, 40])
def test_there_is_a_band_of_every_width_around_the_void_of_val(width):
    band = spec_of("voc").derived[f"val_trimap_{width}"]
    assert (band.of, band.width) == (("val",), width)


def test_prepared_examples_are_the_published_ones(full, tmp_path):
    prepared = prepare("voc", data_dir=tmp_path / "data", manual_dir=full)
    assert prepared.splits == {"train": 3, "val": 4, "trainaug": 6, "sbdd_train": 4}
    assert prepared.missing == ("seg11valid",)
    expected = {
        "train": {i: label_of(i) for i in TRAIN},
        "val": {i: label_of(i) for i in VAL},
        "trainval": {i: label_of(i) for i in (*TRAIN, *VAL)},
        "trainaug": {i: sbd_label_of(i) for i in ("s0", "s1", "s2")}
        | {i: label_of(i) for i in TRAIN},
        "sbdd_train": {i: sbd_label_of(i) for i in SBD_TRAIN},
    }
    for split, labels in expected.items():
        source = open_source("voc", split, data_dir=tmp_path / "data")
        assert [example["id"] for example in source] == list(labels)
        for example in source:
            np.testing.assert_array_equal(example["label"], labels[example["id"]])
            file = full / "VOCdevkit" / "VOC2012" / "JPEGImages" / f"{example['id']}.jpg"
            image = cv2.imread(str(file), cv2.IMREAD_COLOR_RGB)
            np.testing.assert_array_equal(example["image"], image)


def band_of(ids, width):
    """Ignores, pixel by pixel, what has no void pixel within `width` rows and columns."""
    void = np.argwhere(ids == 255)
    out = ids.copy()
    for y, x in np.ndindex(*ids.shape):
        if np.abs(void - (y, x)).max(axis=1).min() > width:
            out[y, x] = 255
    return out


@pytest.mark.parametrize("width", [1, 4])
def test_a_band_counts_only_pixels_near_void(root, tmp_path, width):
    prepare("voc", data_dir=tmp_path / "data", manual_dir=root)
    source = open_source("voc", f"val_trimap_{width}", data_dir=tmp_path / "data")
    assert len(source) == len(VAL)
    for example in source:
        expected = band_of(label_of(example["id"]), width)
        assert 0 < (expected != 255).sum() < (label_of(example["id"]) != 255).sum()
        np.testing.assert_array_equal(example["label"], expected)


def test_trainaug_is_train_and_sbd_without_val(full):
    ids = ids_of(full)
    assert ids["trainaug"] == ("s0", "s1", "s2", "t0", "t1", "t2")
    assert set(VAL) & {*SBD_TRAIN, *SBD_VAL}  # there is something to drop
    assert not set(ids["trainaug"]) & set(ids["val"])


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("s0", "s1", "s2", *TRAIN, *VAL), id="all labels there are"),
        pytest.param((*SBD_TRAIN, *SBD_VAL), id="SBD alone"),
        pytest.param(("s0", "s1", "s2"), id="only what VOC lacks"),
    ],
)
def test_every_form_of_label_pictures_gives_the_same_trainaug(root, tmp_path, names):
    write_aug(root / "VOCdevkit" / "VOC2012" / "SegmentationClassAug", names)
    assert ids_of(root)["trainaug"] == ("s0", "s1", "s2", "t0", "t1", "t2")
    prepare("voc", data_dir=tmp_path / "data", manual_dir=root)
    source = open_source("voc", "trainaug", data_dir=tmp_path / "data")
    for example in source:
        own = example["id"] in TRAIN
        expected = label_of(example["id"]) if own else sbd_label_of(example["id"])
        np.testing.assert_array_equal(example["label"], expected)


def test_without_sbd_there_is_no_trainaug(root):
    assert set(ids_of(root)) == {"train", "val"}


def test_fcns_list_is_taken_as_published(root, lists):
    write_list(lists / "seg11valid.txt", ("v3", "v0"))
    assert ids_of(root)["seg11valid"] == ("v3", "v0")


@pytest.mark.parametrize("place", [".", "benchmark_RELEASE/dataset", "fcn"])
def test_fcns_list_may_lie_elsewhere(full, place):
    write_list(full / place / "seg11valid.txt", ("v3", "v0"))
    assert ids_of(full)["seg11valid"] == ("v3", "v0")


@pytest.mark.parametrize("devkit", ["VOCdevkit", "VOCtrainval_25-May-2011/TrainVal/VOCdevkit"])
def test_fcns_list_follows_from_voc_2011(full, devkit):
    older = full / devkit / "VOC2011" / "ImageSets" / "Segmentation" / "val.txt"
    write_list(older, OLDER_VAL)
    ids = ids_of(full)
    assert ids["seg11valid"] == ("v3", "v0")
    assert not set(ids["seg11valid"]) & set(ids["sbdd_train"])
    assert set(ids["val"]) == set(VAL)  # still those of 2012


def test_voc_2011_without_sbd_says_nothing_about_fcns_list(root):
    older = root / "VOCdevkit" / "VOC2011" / "ImageSets" / "Segmentation" / "val.txt"
    write_list(older, OLDER_VAL)
    assert "seg11valid" not in ids_of(root)


def test_a_list_with_images_of_sbds_train_is_corrected(full, lists):
    write_list(lists / "seg11valid.txt", OLDER_VAL)
    assert ids_of(full)["seg11valid"] == ("v3", "v0")


@pytest.mark.parametrize("below", ["VOCdevkit/VOC2012", "VOCdevkit", "."])
def test_any_folder_above_may_be_given(root, below):
    assert ids_of(root / below)["val"] == VAL


def test_a_renamed_folder_is_found(root):
    (root / "VOCdevkit" / "VOC2012").rename(root / "pascal")
    assert ids_of(root)["val"] == VAL


def test_another_year_is_not_taken_for_2012(root):
    write_list(root / "VOCdevkit/VOC2007/ImageSets/Segmentation/val.txt", ("x",))
    assert ids_of(root)["val"] == VAL
    (root / "VOCdevkit" / "VOC2012").rename(root / "VOCdevkit" / "VOC2010")
    with pytest.raises(FileNotFoundError, match=r"\(but .*VOC20(07|10)\).*VOCtrainval_11-May-2012"):
        ids_of(root)


def test_nothing_found_says_what_to_fetch(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"VOCtrainval_11-May-2012.tar.*--manual_dir"):
        ids_of(tmp_path)


def test_a_wrong_label_is_named(root, tmp_path):
    path = root / "VOCdevkit" / "VOC2012" / "SegmentationClass" / "v1.png"
    cv2.imwrite(str(path), np.full(SIZE, 21, np.uint8))
    with pytest.raises(DataError, match=r"SegmentationClass/v1.png\) holds the values \[21\]"):
        prepare("voc", data_dir=tmp_path / "data", manual_dir=root)


@pytest.mark.parametrize("file", ["cls/s0.mat", "cls/s1.mat"])
def test_a_wrong_label_of_sbd_is_named(full, tmp_path, file):
    (full / "benchmark_RELEASE" / "dataset" / file).write_bytes(b"no file of MATLAB")
    with pytest.raises(DataError, match=rf"dataset/{file}\) cannot be read as a MATLAB file"):
        prepare("voc", data_dir=tmp_path / "data", manual_dir=full)


def test_a_label_that_is_not_there_is_named(full, tmp_path):
    (full / "benchmark_RELEASE" / "dataset" / "cls" / "s1.mat").unlink()
    with pytest.raises(DataError, match=r"cls/s1.mat\) is missing"):
        prepare("voc", data_dir=tmp_path / "data", manual_dir=full)


def test_the_archives_are_found_where_they_are_unpacked(full, tmp_path, monkeypatch):
    *packed, fcn = voc.SPEC.archives
    (tmp_path / fcn.file).write_text("v0\n")
    archives = [Archive((tmp_path / fcn.file).as_uri(), fcn.file)]
    for archive, folder in zip(packed, ("VOCdevkit", "benchmark_RELEASE"), strict=True):
        served = tmp_path / archive.file
        with tarfile.open(served, "w:gz" if served.suffix == ".tgz" else "w") as out:
            out.add(full / folder, folder)
        archives.append(Archive(served.as_uri(), archive.file))
    spec = dataclasses.replace(voc.SPEC, archives=tuple(archives))
    monkeypatch.setattr(VOC, "SPEC", spec)
    splits = prepare("voc", data_dir=tmp_path / "data").splits
    assert (splits["trainaug"], splits["seg11valid"]) == (6, 1)
