import contextlib
import io
import json
import pickle
import shutil

import cv2
import numpy as np
import pytest
from ml_collections import ConfigDict
from pycocotools.coco import COCO

from seg_jax.data.catalogue import builder_class, spec_of
from seg_jax.data.datasets.folder import builder_of
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import open_source
from seg_jax.data.validate import DataError
from seg_jax.labels import IGNORE_LABEL

SIZE = (24, 32)
COUNT = 6
COLORS = ((0, 0, 0), (0, 255, 0), (200, 30, 7))
CLASSES = ("background", "leaf", "stem")


@pytest.fixture
def root(tmp_path):
    """A folder of six images; labels are for the tests to add."""
    folder = tmp_path / "own"
    rng = np.random.default_rng(0)
    for i in range(COUNT):
        write(folder / f"images/p{i}.jpg", rng.integers(0, 256, (*SIZE, 3), np.uint8))
    return folder


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def blocks(i):
    """Returns the class ids of picture i: three boxes, one above the other."""
    ids = np.zeros(SIZE, np.uint8)
    for id, (left, top, right, bottom) in boxes(i):
        ids[top:bottom, left:right] = id
    return ids


def boxes(i):
    return [(1, (2, 1 + i, 20, 12)), (2, (10, 8, 25 + i, 20)), (1, (15, 15, 22, 22))]


def split(root, **fields):
    """Returns a section with lists of the first four and the last two."""
    for name, members in (("train", range(4)), ("val", range(4, COUNT))):
        (root / f"{name}.txt").write_text("\n".join(f"p{i}" for i in members))
    base = {"path": str(root), "images": "images/*.jpg", "classes": CLASSES}
    return {**base, "splits": {"train": "train.txt", "val": "val.txt"}, **fields}


def corners(box):
    left, top, right, bottom = box
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def index(root):
    for i in range(COUNT):
        write(root / f"masks/p{i}.png", blocks(i))
    return {"labels": "masks/*.png"}


def rgb(root):
    for i in range(COUNT):
        write(root / f"masks/p{i}.png", np.array(COLORS, np.uint8)[blocks(i)][..., ::-1])
    classes = dict(zip(CLASSES, COLORS, strict=True))
    return {"labels": "masks/*.png", "form": "rgb", "classes": classes}


def per_class(root):
    for i in range(COUNT):
        for id, name in ((1, "leaf"), (2, "stem")):
            write(root / f"masks/{name}/p{i}.png", (blocks(i) == id).astype(np.uint8) * 255)
    return {"labels": "masks/{class}/*.png", "form": "per_class"}


def labelme(root):
    for i in range(COUNT):
        shapes = [
            {"label": CLASSES[id], "shape_type": "polygon", "points": corners(box)}
            for id, box in boxes(i)
        ]
        content = {"imageHeight": SIZE[0], "imageWidth": SIZE[1], "shapes": shapes}
        (root / f"images/p{i}.json").write_text(json.dumps(content))
    return {"labels": "images/*.json", "form": "labelme"}


def supervisely(root):
    (root / "ann").mkdir()
    for i in range(COUNT):
        objects = [
            {
                "classTitle": CLASSES[id],
                "geometryType": "rectangle",
                "points": {
                    "exterior": [[left, top], [right - 1, bottom - 1]],
                    "interior": [],
                },
            }
            for id, (left, top, right, bottom) in boxes(i)
        ]
        content = {"size": {"height": SIZE[0], "width": SIZE[1]}, "objects": objects}
        (root / f"ann/p{i}.jpg.json").write_text(json.dumps(content))
    return {"labels": "ann/*.json", "form": "supervisely"}


def coco(root):
    images = [
        {"id": i, "file_name": f"p{i}.jpg", "height": SIZE[0], "width": SIZE[1]}
        for i in range(COUNT)
    ]
    annotations = [
        {
            "id": 10 * i + j,
            "image_id": i,
            "category_id": 10 * id,
            "segmentation": [np.ravel(corners(box)).tolist()],
            "iscrowd": 0,
        }
        for i in range(COUNT)
        for j, (id, box) in enumerate(boxes(i))
    ]
    categories = [{"id": 10 * id, "name": CLASSES[id]} for id in (1, 2)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (root / "labels.json").write_text(json.dumps(content))
    return {"labels": "labels.json", "form": "coco"}


def cvat(root):
    images = "".join(
        f'<image id="{i}" name="p{i}.jpg" height="{SIZE[0]}" width="{SIZE[1]}">'
        + "".join(
            f'<box label="{CLASSES[id]}" xtl="{box[0]}" ytl="{box[1]}" xbr="{box[2]}" '
            f'ybr="{box[3]}"/>'
            for id, box in boxes(i)
        )
        + "</image>"
        for i in range(COUNT)
    )
    (root / "annotations.xml").write_text(f"<annotations>{images}</annotations>")
    return {"labels": "annotations.xml", "form": "cvat"}


FORMS = [index, rgb, per_class, labelme, supervisely, coco, cvat]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_ids_that_were_drawn(root, tmp_path, form):
    folder = split(root, **form(root))
    prepared = prepare("folder", data_dir=tmp_path / "data", folder=folder)
    assert prepared.splits == {"train": 4, "val": 2}
    assert (prepared.missing, prepared.built) == ((), True)
    source = open_source("folder", "val", data_dir=tmp_path / "data", folder=folder)
    assert [example["id"] for example in source] == ["p4", "p5"]
    for i, example in zip((4, 5), source, strict=True):
        np.testing.assert_array_equal(example["label"], blocks(i))
        image = cv2.imread(str(root / f"images/p{i}.jpg"), cv2.IMREAD_COLOR_RGB)
        np.testing.assert_array_equal(example["image"], image)


@pytest.mark.parametrize("form", [labelme, supervisely, coco, cvat])
def test_shapes_that_overlap_count_for_the_later_or_not_at_all(root, tmp_path, form):
    folder = split(root, overlap="ignore", background="ignore", **form(root))
    prepare("folder", data_dir=tmp_path / "data", folder=folder)
    (first, _) = open_source("folder", "val", data_dir=tmp_path / "data", folder=folder)
    expected = np.full(SIZE, IGNORE_LABEL, np.uint8)
    covered = np.zeros(SIZE, int)
    for id, (left, top, right, bottom) in boxes(4):
        expected[top:bottom, left:right] = id
        covered[top:bottom, left:right] += 1
    expected[covered > 1] = IGNORE_LABEL
    np.testing.assert_array_equal(first["label"], expected)


@pytest.mark.parametrize("form", [labelme, supervisely, coco, cvat])
def test_names_are_merged_ignored_skipped_or_refused(root, tmp_path, form):
    fields = {**form(root), "classes": ("background", "leaf")}
    with pytest.raises(
        DataError, match=r"'p0'.*shapes named 'stem', which no class has.*'\*' skip"
    ):
        prepare("folder", data_dir=tmp_path / "data", folder=split(root, **fields))
    drawn = {1: "leaf", 2: "stem"}
    for more, ids in (
        ({"skip": "stem"}, {"leaf": 1}),
        ({"skip": ("*",)}, {"leaf": 1}),
        ({"ignore": "stem"}, {"leaf": 1, "stem": IGNORE_LABEL}),
        ({"classes": {"background": (), "plant": ("leaf", "stem")}}, {"leaf": 1, "stem": 1}),
    ):
        folder = split(root, **{**fields, **more})
        prepare("folder", data_dir=tmp_path / "data", folder=folder)
        (first, _) = open_source("folder", "val", data_dir=tmp_path / "data", folder=folder)
        expected = np.zeros(SIZE, np.uint8)
        for id, (left, top, right, bottom) in boxes(4):
            if drawn[id] in ids:
                expected[top:bottom, left:right] = ids[drawn[id]]
        np.testing.assert_array_equal(first["label"], expected)


@pytest.mark.parametrize(
    ("form", "file", "text", "sentence"),
    [
        (labelme, "images/p1.json", "{", "cannot be drawn: Expecting property name"),
        (labelme, "images/p1.json", "{}", "cannot be drawn: it lacks 'imageHeight'"),
        (labelme, "images/p1.json", "[]", "cannot be drawn"),
        (
            labelme,
            "images/p1.json",
            '{"imageHeight": 100000, "imageWidth": 100000, "shapes": []}',
            r"cannot be drawn: its image is said to have the size \(100000, 100000\)",
        ),
        (
            labelme,
            "images/p1.json",
            '{"imageHeight": 32, "imageWidth": 24, "shapes": []}',
            r"is 32 x 24 px and its image 24 x 32 px .*EXIF.*auto-orient",
        ),
        (
            labelme,
            "images/p1.json",
            '{"imageHeight": 31, "imageWidth": 24, "shapes": []}',
            "is 31 x 24 px but its image is 24 x 32 px",
        ),
        (supervisely, "ann/p1.jpg.json", '{"objects": []}', "cannot be drawn: it lacks 'size'"),
    ],
)
def test_a_damaged_label_file_is_named(root, tmp_path, form, file, text, sentence):
    folder = split(root, **form(root))
    (root / file).write_text(text)
    with pytest.raises(DataError, match=rf"label of example 'p1'.*{file}\) {sentence}"):
        prepare("folder", data_dir=tmp_path / "data", folder=folder)


@pytest.mark.parametrize("ending", [".tif", ".bmp", ".png"])
def test_images_that_are_not_jpeg_or_png_become_png(root, tmp_path, ending):
    image = np.random.default_rng(1).integers(0, 256, (*SIZE, 3), np.uint8)
    write(root / f"other/p0{ending}", image)
    folder = split(root, **index(root), images="other/*", splits={"one": "other/*"})
    for i in range(1, COUNT):
        (root / f"masks/p{i}.png").unlink()
    prepare("folder", data_dir=tmp_path / "data", folder=folder)
    source = open_source("folder", "one", data_dir=tmp_path / "data", folder=folder)
    np.testing.assert_array_equal(source[0]["image"], image[..., ::-1])
    assert source.record(0)["image"].startswith(b"\x89PNG")


def test_the_spec_needs_no_files(tmp_path):
    folder = {"path": "/nowhere", "images": "*.jpg", "labels": "*.png", "classes": CLASSES}
    spec = spec_of("folder", folder)
    assert spec.classes == CLASSES
    assert spec.splits == {"train": 0, "val": 0}
    assert spec.name.startswith("folder/")
    assert spec_of("folder", ConfigDict(folder).to_dict()) == spec
    assert builder_class("folder", folder) is builder_class("folder", dict(folder))
    with pytest.raises(FileNotFoundError, match=r"folder.path='/nowhere' is not a folder"):
        prepare("folder", data_dir=tmp_path, folder=folder)
    for empty in (None, {}):
        with pytest.raises(ValueError, match=r"config.dataset.folder has no path"):
            spec_of("folder", empty)


def test_two_descriptions_lie_side_by_side(root, tmp_path):
    one = split(root, **index(root))
    other = {**one, "classes": ("background", "foliage", "stem")}
    places = {prepare("folder", data_dir=tmp_path / "d", folder=f).path for f in (one, other)}
    assert len(places) == 2
    assert all((tmp_path / "d/folder") in place.parents for place in places)


def test_readers_pickle(root):
    for form in FORMS:
        builder = builder_of(split(root, **form(root)))(data_dir=root / "data")
        items = builder.list_items(root)
        assert pickle.loads(pickle.dumps((items, builder.reader(root))))
        for name in ("masks", "ann"):
            shutil.rmtree(root / name, ignore_errors=True)


def test_an_opened_split_pickles_for_the_workers_of_the_pipeline(root, tmp_path):
    folder = split(root, **index(root))
    prepare("folder", data_dir=tmp_path / "data", folder=folder)
    source = open_source("folder", "val", data_dir=tmp_path / "data", folder=folder)
    again = pickle.loads(pickle.dumps(source))
    assert len(again) == 2
    np.testing.assert_array_equal(again[1]["label"], source[1]["label"])


def test_files_that_changed_are_not_passed_over(root, tmp_path):
    folder = split(root, **index(root))
    prepare("folder", data_dir=tmp_path / "data", folder=folder)
    write(root / "masks/p1.png", np.zeros(SIZE, np.uint8))
    with pytest.raises(DataError, match=r"files of .*changed after .*prepare --config=EXPERIMENT"):
        open_source("folder", "train", data_dir=tmp_path / "data", folder=folder)
    assert prepare("folder", data_dir=tmp_path / "data", folder=folder).built
    source = open_source("folder", "train", data_dir=tmp_path / "data", folder=folder)
    assert not source[1]["label"].any()
    assert not prepare("folder", data_dir=tmp_path / "data", folder=folder).built
    # Without the files, on another machine say, the prepared set is all there is.
    shutil.rmtree(root)
    assert len(open_source("folder", "train", data_dir=tmp_path / "data", folder=folder)) == 4


def test_a_folder_by_option_is_refused(root, tmp_path):
    folder = split(root, **index(root))
    with pytest.raises(ValueError, match="--manual_dir has no meaning for the dataset 'folder'"):
        prepare("folder", data_dir=tmp_path / "data", folder=folder, manual_dir=root)


def test_archives_beside_the_pictures_are_left_alone(root, tmp_path):
    folder = split(root, **index(root), images="pictures/*.jpg")
    shutil.make_archive(str(root / "backup"), "zip", root / "images")
    with pytest.raises(ValueError, match=r"images='pictures/\*.jpg' matches no file"):
        prepare("folder", data_dir=tmp_path / "data", folder=folder)
    assert not (tmp_path / "data/incomplete").exists() or not list(
        (tmp_path / "data/incomplete").rglob("*.jpg")
    )


@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_the_real_sample_of_coco(asset, tmp_path):
    root = asset("data/coco_sample")
    folder = {
        "path": str(root),
        "images": "train2017/*.jpg",
        "labels": "annotations/instances_train2017.json",
        "form": "coco",
        "classes": ("background", "dog", "person"),
        "skip": "*",
        "splits": {"one": 1.0},
    }
    assert prepare("folder", data_dir=tmp_path, folder=folder).splits == {"one": 32}
    source = open_source("folder", "one", data_dir=tmp_path, folder=folder)
    with contextlib.redirect_stdout(io.StringIO()):
        api = COCO(str(root / folder["labels"]))
    wanted = {api.getCatIds(catNms=[name])[0]: id for id, name in ((1, "dog"), (2, "person"))}
    seen = set()
    for example in source:
        image = int(example["id"])
        expected = np.zeros(example["label"].shape, np.uint8)
        for annotation in api.imgToAnns[image]:
            if annotation["category_id"] in wanted:
                mask = api.annToMask(annotation) > 0
                expected[mask] = wanted[annotation["category_id"]]
        np.testing.assert_array_equal(example["label"], expected)
        seen |= set(np.unique(expected).tolist())
    assert seen == {0, 1, 2}
