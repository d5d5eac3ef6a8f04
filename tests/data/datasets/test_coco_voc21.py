import json

import cv2
import numpy as np
import pytest

from seg_jax.data.datasets import coco_voc21
from seg_jax.data.datasets.coco_classes import THINGS
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import open_source
from seg_jax.data.validate import DataError

CAT_LIST = [0, 5, 2, 16, 9, 44, 6, 3, 17, 62, 21, 67, 18, 19, 4, 1, 64, 20, 63, 7, 72]
"""Torchvision's references/segmentation/coco_utils.py, `get_coco`."""

HEIGHT, WIDTH = 40, 50
VOID = 255
PERSON, TRAFFIC_LIGHT, TV = 1, 10, 72


def test_the_classes_are_those_of_voc_under_cocos_names():
    cocos = {category.id: category.name for category in THINGS}
    vocs = coco_voc21.SPEC.classes
    renamed = {"airplane": "aeroplane", "motorcycle": "motorbike", "couch": "sofa"}
    renamed["tv"] = "tv/monitor"
    assert vocs[0] == "background"
    for index, category in enumerate(CAT_LIST[1:], start=1):
        assert coco_voc21.CLASS_OF[category] == index
        assert renamed.get(cocos[category], cocos[category]) == vocs[index]
    assert len(coco_voc21.CLASS_OF) == 20


def torchvision_label(annotations, size, api):
    """Returns what torchvision makes of an image's annotations."""
    masks, categories = [np.zeros(size, bool)], [0]
    for annotation in annotations:
        if annotation["category_id"] in CAT_LIST:
            runs = api.frPyObjects(annotation["segmentation"], *size)
            mask = api.decode(runs if isinstance(runs, list) else [runs])
            masks.append(mask.any(2))
            categories.append(CAT_LIST.index(annotation["category_id"]))
    masks, categories = np.stack(masks), np.array(categories)
    label = (masks * categories[:, None, None]).max(0)
    label[masks.sum(0) > 1] = VOID
    return label


# pycocotools 2.0.11 decodes by a protocol of arrays that NumPy 2 is retiring.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_the_real_sample(asset, tmp_path):
    api = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    given = asset("data/coco_sample")
    root = tmp_path / "coco"
    root.mkdir()
    for name in ("train2017", "annotations"):
        (root / name).symlink_to(given / name)
    prepared = prepare("coco/voc21", data_dir=tmp_path / "data", manual_dir=tmp_path / "coco")
    assert prepared.missing == ("val",)

    content = json.loads((given / "annotations/instances_train2017.json").read_bytes())
    of_image = {image["id"]: [] for image in content["images"]}
    for annotation in content["annotations"]:
        of_image[annotation["image_id"]].append(annotation)
    kept = [
        image
        for image in sorted(content["images"], key=lambda image: image["id"])
        if sum(a["area"] for a in of_image[image["id"]] if a["category_id"] in CAT_LIST) > 1000
    ]
    assert prepared.splits == {"train": len(kept)}
    assert 0 < len(kept) < len(content["images"])

    source = open_source("coco/voc21", "train", data_dir=tmp_path / "data")
    values, crowds = set(), 0
    for example, image in zip(source, kept, strict=True):
        assert example["id"] == image["file_name"].removesuffix(".jpg")
        published = cv2.imread(str(given / "train2017" / image["file_name"]), cv2.IMREAD_COLOR_RGB)
        np.testing.assert_array_equal(example["image"], published)
        annotations = of_image[image["id"]]
        size = (image["height"], image["width"])
        expected = torchvision_label(annotations, size, api)
        np.testing.assert_array_equal(example["label"], expected)
        values |= set(np.unique(expected).tolist())
        crowds += sum(a["iscrowd"] and a["category_id"] in CAT_LIST for a in annotations)
    assert VOID in values
    assert len(values) > 10
    assert crowds > 0


def square(x, y, side):
    return [[x, y, x + side, y, x + side, y + side, x, y + side]]


def write_split(root, split, images):
    """Writes {file stem: [(category, outline, area), ...]} in COCO's layout."""
    content = {
        "images": [],
        "categories": [{"id": c.id, "name": c.name} for c in THINGS],
        "annotations": [],
    }
    folder = root / f"{split}2017"
    folder.mkdir(parents=True)
    for number, (stem, objects) in enumerate(images.items(), start=1):
        cv2.imwrite(str(folder / f"{stem}.jpg"), np.full((HEIGHT, WIDTH, 3), number, np.uint8))
        content["images"].append(
            {"id": number, "file_name": f"{stem}.jpg", "height": HEIGHT, "width": WIDTH}
        )
        for category, outline, area in objects:
            content["annotations"].append(
                {
                    "id": len(content["annotations"]) + 1,
                    "image_id": number,
                    "category_id": category,
                    "segmentation": outline,
                    "area": area,
                    "iscrowd": int(isinstance(outline, dict)),
                }
            )
    (root / "annotations").mkdir(exist_ok=True)
    (root / f"annotations/instances_{split}2017.json").write_text(json.dumps(content))


@pytest.fixture
def labels(tmp_path):
    """Returns a function (split=images of `write_split`) -> split -> id -> label."""

    def build(**splits):
        root = tmp_path / "published"
        for split, images in splits.items():
            write_split(root, split, images)
        prepare("coco/voc21", data_dir=tmp_path / "data", manual_dir=root)
        return {
            split: {
                example["id"]: example["label"]
                for example in open_source("coco/voc21", split, data_dir=tmp_path / "data")
            }
            for split in splits
        }

    return build


def test_training_images_need_area_of_the_twenty_categories(labels):
    shapes = square(2, 2, 5)
    images = {
        "000000000003": [(PERSON, shapes, 600.0), (TV, shapes, 400.5)],
        "000000000001": [(PERSON, shapes, 600.0), (TV, shapes, 400.0)],
        "000000000002": [(PERSON, shapes, 999.0), (TRAFFIC_LIGHT, shapes, 900.0)],
        "000000000000": [(TV, shapes, 2000.0)],
        "000000000004": [],
    }
    found = labels(train=images, val=images)
    assert list(found["train"]) == ["000000000000", "000000000003"]
    assert list(found["val"]) == sorted(images)
    assert not found["val"]["000000000004"].any()


def test_overlaps_are_void_and_crowds_are_painted(labels):
    crowd = {"size": [HEIGHT, WIDTH], "counts": [0, 3 * HEIGHT, (WIDTH - 3) * HEIGHT]}
    objects = [
        (PERSON, square(10, 10, 10), 0.0),
        (PERSON, square(15, 15, 10), 0.0),
        (TV, square(30, 0, 10), 0.0),
        (TRAFFIC_LIGHT, square(30, 5, 10), 0.0),
        (PERSON, crowd, 0.0),
    ]
    label = labels(val={"a": objects})["val"]["a"]
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[10:20, 10:20] = expected[15:25, 15:25] = expected[:, :3] = 15
    expected[15:20, 15:20] = VOID
    expected[:10, 30:40] = 20  # under a traffic light, which VOC does not know
    np.testing.assert_array_equal(label, expected)


def test_a_faulty_outline_is_named(labels):
    with pytest.raises(DataError, match=r"'a' of coco/voc21, split 'val'.*annotation 1 .*flat"):
        labels(val={"a": [(PERSON, [[1, 2, 3]], 0.0)]})


def test_an_image_that_is_not_there_is_named(tmp_path):
    write_split(tmp_path / "published", "val", {"a": [], "b": []})
    (tmp_path / "published/val2017/b.jpg").unlink()
    with pytest.raises(DataError, match=r"'b' of coco/voc21, split 'val' .*b.jpg\) is missing"):
        prepare("coco/voc21", data_dir=tmp_path / "data", manual_dir=tmp_path / "published")


def test_nothing_found_says_what_belongs_where(tmp_path):
    (tmp_path / "given/train2017").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"train2017/.*instances_\{train,val\}2017.json"):
        prepare("coco/voc21", data_dir=tmp_path / "data", manual_dir=tmp_path / "given")
