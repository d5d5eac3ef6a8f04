"""COCO's files are found however its archives were unpacked."""

import pytest

from seg_jax.data.datasets import coco

FILES = (
    "train2017/1.jpg",
    "val2017/2.jpg",
    "stuffthingmaps/train2017/1.png",
    "stuffthingmaps/val2017/2.png",
    "annotations/panoptic_val2017/2.png",
    "annotations/instances_val2017.json",
)

OWN_FOLDERS = (
    "train2017/train2017/1.jpg",
    "val2017/val2017/2.jpg",
    "stuffthingmaps_trainval2017/train2017/1.png",
    "stuffthingmaps_trainval2017/val2017/2.png",
    "panoptic_annotations_trainval2017/annotations/panoptic_val2017/2.png",
    "annotations_trainval2017/annotations/instances_val2017.json",
)

# As mmsegmentation's manual asks for: both kinds of folder are called train2017.
BY_KIND = (
    "images/train2017/1.jpg",
    "images/val2017/2.jpg",
    "annotations/train2017/1.png",
    "annotations/val2017/2.png",
    "annotations/panoptic_val2017/2.png",
    "annotations/instances_val2017.json",
)


@pytest.mark.parametrize("above", ["", "coco/"])
@pytest.mark.parametrize("files", [FILES, OWN_FOLDERS, BY_KIND])
def test_every_layout_is_found(tmp_path, files, above):
    paths = [tmp_path / (above + name) for name in files]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    images = [coco.find_images(tmp_path, split) for split in ("train", "val")]
    assert images == [path.parent for path in paths[:2]]
    maps = [coco.find_folder(tmp_path, (f"{s}2017",), ".png") for s in ("train", "val")]
    assert maps == [path.parent for path in paths[2:4]]
    names = ("panoptic_val2017", "annotations/panoptic_val2017")
    assert coco.find_folder(tmp_path, names, ".png") == paths[4].parent
    assert coco.find_file(tmp_path, ("annotations/instances_val2017.json",)) == paths[5]


def test_what_is_not_there_is_not_found(tmp_path):
    (tmp_path / "train2017").mkdir()
    (tmp_path / "instances_val2017.json").mkdir()
    assert coco.find_images(tmp_path, "train") is None
    assert coco.find_images(tmp_path / "nowhere", "train") is None
    assert coco.find_file(tmp_path, ("instances_val2017.json",)) is None


def test_archives_are_named_like_their_addresses():
    for archive in coco.IMAGE_ARCHIVES:
        assert archive.url.endswith(f"/{archive.file}")
        assert len(archive.sha256) == 64
