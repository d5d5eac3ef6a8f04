"""Pascal Context, against the tables of others: the Detail API's and FCN's."""

import dataclasses
import tarfile

import cv2
import numpy as np
import pytest
import scipy.io

from seg_jax.data.catalogue import spec_of
from seg_jax.data.datasets import pascal_context
from seg_jax.data.datasets.pascal_context import PascalContext59, PascalContext60
from seg_jax.data.datasets.pascal_context_classes import LABEL_NUMBERS
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import open_source
from seg_jax.data.spec import Archive
from seg_jax.data.validate import DataError

# Numbers of background and the 59 classes in the order in which mmsegmentation's converter
# (tools/dataset_converters/pascal_context.py) lists them before it sorts them.
DETAIL_NUMBERS = (
    0, 2, 259, 260, 415, 324, 9, 258, 144, 18, 19, 22, 23, 397, 25, 284, 158, 159, 416, 33, 162,
    420, 454, 295, 296, 427, 44, 45, 46, 308, 59, 440, 445, 31, 232, 65, 354, 424, 68, 326, 72,
    458, 34, 207, 80, 355, 85, 347, 220, 349, 360, 98, 187, 104, 105, 366, 189, 368, 113, 115,
)  # fmt: skip

# The publisher's 59_labels.txt, as FCN's data/pascal-context/classes-59.txt has it.
PUBLISHED_59 = """
aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse
motorbike person pottedplant sheep sofa train tvmonitor bag bed bench book building cabinet ceiling
clothes computer cup door fence floor flower food grass ground keyboard light mountain mouse curtain
platform sign plate road rock shelves sidewalk sky snow bedcloth track tree truck wall water window
wood
"""

TRAIN, VAL = ("2008_000002", "2008_000003"), ("2008_000009",)
SIZE = (22, 30)
FORMS = {"pascal_context/59": PascalContext59, "pascal_context/60": PascalContext60}


def label_map(name):
    """Numbers among the 459 labels: every one of the 59, and others."""
    rng = np.random.default_rng(int(name[-1]))
    numbers = np.arange(SIZE[0] * SIZE[1], dtype=np.uint16) % 459 + 1
    return rng.permutation(numbers).reshape(SIZE)


def as_detail(numbers):
    """What mmsegmentation's converter makes of it: 0, and 1..59 in the order of the numbers."""
    order = sorted(DETAIL_NUMBERS)
    return np.array([order.index(n) if n in order else 0 for n in numbers.flat], np.uint8).reshape(
        numbers.shape
    )


def write_list(path, ids):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{i}\n" for i in ids))


def write_voc(folder, lists):
    (folder / "JPEGImages").mkdir(parents=True)
    for seed, name in enumerate((*TRAIN, *VAL)):
        image = np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), np.uint8)
        cv2.imwrite(str(folder / "JPEGImages" / f"{name}.jpg"), image)
    write_list(folder / "ImageSets" / lists / "train.txt", TRAIN)
    write_list(folder / "ImageSets" / lists / "val.txt", VAL)


def write_published(root):
    """VOC 2010 and the publisher's archive side by side."""
    write_voc(root / "VOCdevkit" / "VOC2010", "Main")
    (root / "trainval").mkdir()
    for name in (*TRAIN, *VAL):
        variables = {"LabelMap": label_map(name)}
        scipy.io.savemat(root / "trainval" / f"{name}.mat", variables, do_compression=True)


def write_converted(root):
    """VOC 2010 as mmsegmentation completes it."""
    folder = root / "VOCdevkit" / "VOC2010"
    write_voc(folder, "SegmentationContext")
    (folder / "SegmentationClassContext").mkdir()
    for name in (*TRAIN, *VAL):
        file = folder / "SegmentationClassContext" / f"{name}.png"
        cv2.imwrite(str(file), as_detail(label_map(name)))


WRITERS = {"published": write_published, "converted": write_converted}


@pytest.fixture
def root(tmp_path):
    (tmp_path / "given").mkdir()
    return tmp_path / "given"


def test_the_published_counts():
    for name in FORMS:
        assert spec_of(name).splits == {"train": 4998, "val": 5105}
    assert spec_of("pascal_context/59").num_classes == 59
    assert spec_of("pascal_context/60").num_classes == 60


def test_the_numbers_are_those_of_the_detail_api():
    assert sorted(LABEL_NUMBERS.values()) == sorted(DETAIL_NUMBERS)[1:]
    assert list(LABEL_NUMBERS.values()) == sorted(LABEL_NUMBERS.values())


def test_the_classes_are_the_published_ones():
    renamed = {"diningtable": "table", "bedcloth": "bedclothes", "clothes": "cloth"}
    assert set(LABEL_NUMBERS) == {renamed.get(name, name) for name in PUBLISHED_59.split()}
    assert list(LABEL_NUMBERS) == sorted(LABEL_NUMBERS)  # labels.txt is in alphabetical order


def test_a_class_has_one_colour_in_both_forms():
    with_background, without = spec_of("pascal_context/60"), spec_of("pascal_context/59")
    assert with_background.classes == ("background", *without.classes)
    assert with_background.palette[1:] == without.palette


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("writer", WRITERS)
def test_prepared_examples_are_the_published_ones(root, tmp_path, writer, name):
    WRITERS[writer](root)
    assert prepare(name, data_dir=tmp_path / "data", manual_dir=root).splits == {
        "train": 2,
        "val": 1,
    }
    spec = spec_of(name)
    for split, ids in {"train": TRAIN, "val": VAL}.items():
        source = open_source(name, split, data_dir=tmp_path / "data")
        assert tuple(example["id"] for example in source) == ids
        for example in source:
            numbers = label_map(example["id"])
            for class_name, number in LABEL_NUMBERS.items():
                pixels = example["label"] == spec.classes.index(class_name)
                np.testing.assert_array_equal(pixels, numbers == number)
            rest = ~np.isin(numbers, list(LABEL_NUMBERS.values()))
            background = 0 if "background" in spec.classes else 255
            assert rest.any()
            assert (example["label"][rest] == background).all()
            file = root / "VOCdevkit" / "VOC2010" / "JPEGImages" / f"{example['id']}.jpg"
            image = cv2.imread(str(file), cv2.IMREAD_COLOR_RGB)
            np.testing.assert_array_equal(example["image"], image)


@pytest.mark.parametrize("below", ["VOCdevkit/VOC2010", "VOCdevkit", ".", ".."])
def test_any_folder_above_may_be_given(root, below):
    write_converted(root)
    items = PascalContext60(data_dir=root / "unused").list_items(root / below)
    assert {split: len(members) for split, members in items.items()} == {"train": 2, "val": 1}


def test_labels_may_lie_in_the_folder_of_voc_2010(root):
    write_published(root)
    folder = root / "VOCdevkit" / "VOC2010"
    (root / "trainval").rename(folder / "trainval")
    items = PascalContext60(data_dir=root / "unused").list_items(folder)
    assert items["val"][0].label == folder / "trainval" / f"{VAL[0]}.mat"


def test_the_lists_of_another_year_are_not_taken(root):
    write_published(root)
    (root / "VOCdevkit" / "VOC2010").rename(root / "VOCdevkit" / "VOC2012")
    for given in (root, root / "VOCdevkit" / "VOC2012"):
        with pytest.raises(FileNotFoundError, match=r"VOC2010/ImageSets/Main.*03-May-2010.tar"):
            PascalContext60(data_dir=root / "unused").list_items(given)


def test_missing_labels_say_what_to_fetch(root):
    write_voc(root / "VOCdevkit" / "VOC2010", "Main")
    with pytest.raises(FileNotFoundError, match=r"SegmentationClassContext.*trainval.tar.gz"):
        PascalContext60(data_dir=root / "unused").list_items(root)


@pytest.mark.parametrize("name", FORMS)
def test_a_wrong_label_map_is_named(root, tmp_path, name):
    write_published(root)
    path = root / "trainval" / f"{TRAIN[1]}.mat"
    scipy.io.savemat(path, {"LabelMap": np.full(SIZE, 460, np.uint16)})
    message = r"trainval/2008_000003.mat\) holds values in 460\.\.460, but its ids are 0\.\.459"
    with pytest.raises(DataError, match=message):
        prepare(name, data_dir=tmp_path / "data", manual_dir=root)


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("value", [60, 254])
def test_a_wrong_label_picture_is_named(root, tmp_path, name, value):
    write_converted(root)
    path = root / "VOCdevkit" / "VOC2010" / "SegmentationClassContext" / f"{VAL[0]}.png"
    cv2.imwrite(str(path), np.full(SIZE, value, np.uint8))
    with pytest.raises(DataError, match=rf"2008_000009.png\) holds the values \[{value}\]"):
        prepare(name, data_dir=tmp_path / "data", manual_dir=root)


def test_the_archives_are_found_where_they_are_unpacked(root, tmp_path, monkeypatch):
    write_published(root)
    archives = []
    published = pascal_context.SPEC_59.archives
    for archive, folder in zip(published, ("VOCdevkit", "trainval"), strict=True):
        served = tmp_path / archive.file
        with tarfile.open(served, "w:gz" if served.suffix == ".gz" else "w") as out:
            out.add(root / folder, folder)
        archives.append(Archive(served.as_uri(), archive.file))
    spec = dataclasses.replace(pascal_context.SPEC_59, archives=tuple(archives))
    monkeypatch.setattr(PascalContext59, "SPEC", spec)
    prepared = prepare("pascal_context/59", data_dir=tmp_path / "data")
    assert prepared.splits == {"train": 2, "val": 1}
