import json
import os
import zipfile

import cv2
import numpy as np
import pytest

from seg_jax.data.datasets.coco_classes import PANOPTIC
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import open_source
from seg_jax.data.validate import DataError
from seg_jax.labels import IGNORE_LABEL

HEIGHT, WIDTH = 12, 16
IDS = [category.id for category in PANOPTIC]


def make_label(seed):
    """Returns segment ids [h, w], 0 for void, and segment id -> category id."""
    rng = np.random.default_rng(seed)
    segments = rng.choice(np.arange(1, 2**24), size=7, replace=False)
    categories = rng.choice(IDS, size=7)
    segments = np.concatenate([[0], segments])[rng.integers(0, 8, (HEIGHT, WIDTH))]
    segments[0, 0] = 0
    ids = np.unique(segments[segments > 0]).tolist()
    return segments, dict(zip(ids, categories.tolist(), strict=False))


def write_split(root, split, count):
    """Writes a split in COCO's layout; returns id -> (segments, categories)."""
    images, pictures = root / f"{split}2017", root / f"annotations/panoptic_{split}2017"
    images.mkdir(parents=True)
    pictures.mkdir(parents=True)
    content = {"images": [], "annotations": [], "categories": [{"id": i} for i in IDS]}
    truth = {}
    for number in range(count, 0, -1):
        stem = f"{number:012d}"
        segments, categories = truth[stem] = make_label(number)
        blue, green, red = segments // 65536, segments // 256 % 256, segments % 256
        cv2.imwrite(str(images / f"{stem}.jpg"), np.full((HEIGHT, WIDTH, 3), number, np.uint8))
        cv2.imwrite(str(pictures / f"{stem}.png"), np.stack([blue, green, red], -1))
        content["images"].append(
            {"id": number, "file_name": f"{stem}.jpg", "height": HEIGHT, "width": WIDTH}
        )
        infos = [{"id": s, "category_id": c, "iscrowd": s % 2} for s, c in categories.items()]
        content["annotations"].append(
            {"image_id": number, "file_name": f"{stem}.png", "segments_info": infos}
        )
    json_of(root, split).write_text(json.dumps(content))
    return truth


def json_of(root, split):
    return root / f"annotations/panoptic_{split}2017.json"


@pytest.fixture
def root(tmp_path):
    return tmp_path / "published"


@pytest.fixture
def build(tmp_path, root):
    """Returns a function () -> what `prepare` gives for `root`."""
    return lambda: prepare("coco/semantic133", data_dir=tmp_path / "data", manual_dir=root)


def pack(root):
    """Turns the pictures into archives, as the published archive unpacks."""
    for folder in sorted(root.glob("annotations/panoptic_*2017")):
        with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as out:
            for path in sorted(folder.iterdir()):
                out.write(path, f"{folder.name}/{path.name}")
                path.unlink()
        folder.rmdir()


@pytest.mark.parametrize("packed", [False, True])
def test_segments_become_classes_in_the_order_of_ids(root, build, tmp_path, packed):
    truth = {split: write_split(root, split, count) for split, count in (("train", 3), ("val", 2))}
    if packed:
        pack(root)
    prepared = build()
    assert prepared.splits == {"train": 3, "val": 2}
    for split, published in truth.items():
        source = open_source("coco/semantic133", split, data_dir=tmp_path / "data")
        assert [example["id"] for example in source] == sorted(published)
        for example in source:
            segments, categories = published[example["id"]]
            expected = np.full((HEIGHT, WIDTH), IGNORE_LABEL)
            for segment, category in categories.items():
                expected[segments == segment] = IDS.index(category)
            np.testing.assert_array_equal(example["label"], expected)
            assert (expected == IGNORE_LABEL).any()


def test_pictures_are_not_unpacked_where_nothing_can_be_written(root, build, monkeypatch):
    write_split(root, "val", 1)
    pack(root)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(FileNotFoundError, match=r"panoptic_val2017.zip is still packed.*Unpack it"):
        build()


def edit(root, split, change):
    content = json.loads(json_of(root, split).read_text())
    change(content)
    json_of(root, split).write_text(json.dumps(content))


def test_an_image_without_annotation_is_named(root, build):
    write_split(root, "train", 3)
    edit(root, "train", lambda content: content["annotations"].pop(1))
    with pytest.raises(DataError, match=r"no annotation for 1 of its 3 images.*000000000002.jpg"):
        build()


def test_a_segment_that_is_not_listed_is_named(root, build):
    write_split(root, "val", 2)
    edit(root, "val", lambda content: content["annotations"][0]["segments_info"].pop())
    with pytest.raises(DataError, match=r"'000000000002' of coco/semantic133.*segments_info"):
        build()


def test_a_category_that_coco_does_not_have_is_named(root, build):
    write_split(root, "val", 2)
    edit(
        root,
        "val",
        lambda content: content["annotations"][0]["segments_info"][0].update(category_id=91),
    )
    with pytest.raises(DataError, match=r"panoptic_val2017.json gives 000000000002.png.*\[91\]"):
        build()


def test_a_picture_that_is_not_there_is_named(root, build):
    write_split(root, "val", 2)
    (root / "annotations/panoptic_val2017/000000000002.png").unlink()
    with pytest.raises(DataError, match=r"000000000002.png\) is missing"):
        build()


def test_a_split_without_its_pictures_is_left_out(root, build):
    write_split(root, "val", 1)
    write_split(root, "train", 1)
    (root / "annotations/panoptic_train2017/000000000001.png").unlink()
    prepared = build()
    assert prepared.missing == ("train",)
    assert prepared.splits == {"val": 1}


def test_nothing_found_says_what_belongs_where(root, build):
    (root / "train2017").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"panoptic_\{train,val\}2017.json.*zip unpacked"):
        build()
