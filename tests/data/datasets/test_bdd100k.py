import cv2
import numpy as np
import pytest

from seg_jax.data.datasets import bdd100k, cityscapes_labels
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import PreparedSource, open_source
from seg_jax.data.validate import DataError

SIZE = (6, 8)
IDS = {"train": ("0a0a0b1a-7c39d841", "00d79c0a-23bea078"), "val": ("7d06fefd-f7be05a6",)}
TEST = "cabc30fc-e7726578"

NEW = ("bdd100k/images/10k", "bdd100k/labels/sem_seg/masks", "{}.png")
OLD = ("bdd100k/seg/images", "bdd100k/seg/labels", "{}_train_id.png")


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)


def mask_of(name):
    rng = np.random.default_rng(ord(name[1]))
    mask = rng.integers(0, 20, SIZE, np.uint8)
    mask[mask == 19] = 255
    mask[0, 0], mask[0, 1] = 18, 255
    return mask


@pytest.fixture
def tree(tmp_path):
    """Returns a function (layout) -> a folder with three labelled frames and one of test."""

    def make(layout=NEW):
        images, masks, mask_name = layout
        root = tmp_path / "published"
        image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
        for split, names in IDS.items():
            for name in names:
                write(root / images / split / f"{name}.jpg", image)
                write(root / masks / split / mask_name.format(name), mask_of(name))
        write(root / images / "test" / f"{TEST}.jpg", image)
        return root

    return make


@pytest.mark.parametrize("layout", [NEW, OLD], ids=["new", "old"])
@pytest.mark.parametrize("inside", [True, False])
def test_both_layouts_are_read(tree, tmp_path, layout, inside):
    root = tree(layout)
    given = root / "bdd100k" if inside else root
    prepared = prepare("bdd100k", data_dir=tmp_path / "data", manual_dir=given)
    assert prepared.splits == {"train": 2, "val": 1, "test": 1}
    for split, names in IDS.items():
        source = open_source("bdd100k", split, data_dir=tmp_path / "data")
        assert [example["id"] for example in source] == sorted(names)
        for example in source:
            np.testing.assert_array_equal(example["label"], mask_of(example["id"]))
    example = open_source("bdd100k", "test", data_dir=tmp_path / "data")[0]
    assert example["id"] == TEST
    np.testing.assert_array_equal(example["label"], np.full(SIZE, 255))


def test_images_are_the_publishers_bytes(tree, tmp_path):
    root = tree()
    prepare("bdd100k", data_dir=tmp_path / "data", manual_dir=root)
    source = PreparedSource(bdd100k.BDD100K, "val", data_dir=tmp_path / "data")
    file = root / NEW[0] / "val" / f"{IDS['val'][0]}.jpg"
    assert source.record(0)["image"] == file.read_bytes()


def test_images_and_masks_of_different_frames_are_refused(tree, tmp_path):
    root = tree()
    masks = root / NEW[1] / "train"
    (masks / f"{IDS['train'][0]}.png").rename(masks / "ff1e4d6d-f4d85cfd.png")
    message = (
        r"Split 'train' of BDD100K has 1 images without a mask .*\(0a0a0b1a-7c39d841.png\) "
        r"and 1 masks without an image \(ff1e4d6d-f4d85cfd.png\).*June 2021"
    )
    with pytest.raises(DataError, match=message):
        prepare("bdd100k", data_dir=tmp_path / "data", manual_dir=root)


def test_a_missing_mask_is_named_before_anything_is_written(tree, tmp_path):
    root = tree(OLD)
    (root / OLD[1] / "val" / f"{IDS['val'][0]}_train_id.png").unlink()
    with pytest.raises(DataError, match=r"'val'.*7d06fefd-f7be05a6_train_id.png.*0 masks .*none"):
        prepare("bdd100k", data_dir=tmp_path / "data", manual_dir=root)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (
            np.full(SIZE, 19, np.uint8),
            r"7d06fefd-f7be05a6.png\) holds the values \[19\].*colormaps",
        ),
        (np.zeros((*SIZE, 3), np.uint8), r"7d06fefd-f7be05a6.png\) has 3 channels"),
        (np.zeros((8, 6), np.uint8), r"7d06fefd-f7be05a6.png\) is 8 x 6 px but its image is 6 x 8"),
    ],
)
def test_a_faulty_mask_is_named(tree, tmp_path, mask, message):
    root = tree()
    write(root / NEW[1] / "val" / f"{IDS['val'][0]}.png", mask)
    with pytest.raises(DataError, match=r"of bdd100k, split 'val'.*" + message):
        prepare("bdd100k", data_dir=tmp_path / "data", manual_dir=root)


def test_images_without_any_masks_are_no_split(tree, tmp_path):
    root = tree()
    (root / "bdd100k" / "labels").rename(tmp_path / "elsewhere")
    prepared = prepare("bdd100k", data_dir=tmp_path / "data", manual_dir=root)
    assert prepared.splits == {"test": 1}
    assert prepared.missing == ("train", "val")


def test_nothing_found_names_the_packages(tmp_path):
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "unrelated.txt").write_text("")
    with pytest.raises(FileNotFoundError, match=r"'10K Images' and 'Segmentation'.*--manual_dir"):
        prepare("bdd100k", data_dir=tmp_path / "data", manual_dir=tmp_path / "given")


def test_classes_and_counts_are_published_ones():
    # doc/source/format.rst of the publisher's repository lists the same classes, by train id.
    assert bdd100k.SPEC.classes == cityscapes_labels.CLASSES
    assert bdd100k.SPEC.palette == cityscapes_labels.PALETTE
    assert bdd100k.SPEC.splits == {"train": 7000, "val": 1000, "test": 2000}
