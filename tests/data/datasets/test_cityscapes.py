import cv2
import numpy as np
import pytest

from seg_jax.data.datasets import cityscapes
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import PreparedSource, open_source
from seg_jax.data.validate import DataError

SIZE = (6, 8)
# Road, sidewalk, guard rail (ignored), car, car, a group of cars, caravan (ignored), bicycle.
LABEL_ROW = np.array([7, 8, 14, 26, 26, 26, 29, 33], np.uint8)
TRAIN_ROW = np.array([0, 1, 255, 13, 13, 13, 255, 18], np.uint8)
INSTANCE_ROW = np.array([7, 8, 14, 26000, 26001, 26, 29000, 33012], np.uint16)
STORED_ROW = np.array([0, 0, 0, 26000, 26001, 0, 29000, 33012], np.uint16)

BASES = {
    "one folder": ("", "", ""),
    "named folder": ("cityscapes", "cityscapes", "cityscapes"),
    "folder per zip": ("leftImg8bit_trainvaltest", "gtFine_trainvaltest", "gtCoarse"),
}


def stack(row):
    return np.tile(row, (SIZE[0], 1))


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)


def write_image(root, split, name, rng):
    city = name.split("_")[0]
    image = rng.integers(0, 256, (*SIZE, 3), np.uint8)
    write(root / "leftImg8bit" / split / city / f"{name}_leftImg8bit.png", image)
    return image[..., ::-1]


def write_truth(root, kind, split, name, **pictures):
    for ending, pixels in pictures.items():
        file = root / kind / split / name.split("_")[0] / f"{name}_{kind}_{ending}.png"
        write(file, pixels)


TRUTH = {
    "labelIds": stack(LABEL_ROW),
    "instanceIds": stack(INSTANCE_ROW),
    "color": np.zeros((*SIZE, 4), np.uint8),
}


@pytest.fixture
def tree(tmp_path):
    """Returns a function (layout) -> (root, images by id) with one or two frames a split."""

    def make(layout="one folder", *, truth=TRUTH):
        rng = np.random.default_rng(0)
        root = tmp_path / "published"
        images_in, fine_in, coarse_in = (root / base for base in BASES[layout])
        images = {}
        for split, names in {
            "train": ("ulm_000001_000019", "aachen_000000_000019"),
            "val": ("lindau_000000_000019",),
            "test": ("berlin_000000_000019",),
            "train_extra": ("troisdorf_000000_000073", "troisdorf_000000_000092"),
        }.items():
            for name in names:
                where = images_in
                if layout == "folder per zip" and split == "train_extra":
                    where = root / "leftImg8bit_trainextra"
                images[name] = write_image(where, split, name, rng)
                kind, base = ("gtCoarse", coarse_in) if "extra" in split else ("gtFine", fine_in)
                write_truth(base, kind, split, name, **truth)
        return root, images

    return make


@pytest.mark.parametrize("layout", BASES)
def test_every_split_is_read_from_every_layout(tree, tmp_path, layout):
    root, images = tree(layout)
    prepared = prepare("cityscapes", data_dir=tmp_path / "data", manual_dir=root)
    # The black image of train_extra is left out.
    assert prepared.splits == {"train": 2, "val": 1, "test": 1, "train_extra": 1}
    for split in prepared.splits:
        source = PreparedSource(cityscapes.Cityscapes, split, data_dir=tmp_path / "data")
        for position, example in enumerate(source):
            np.testing.assert_array_equal(example["image"], images[example["id"]])
            numbers = cv2.imdecode(
                np.frombuffer(source.record(position)["instances"], np.uint8), cv2.IMREAD_UNCHANGED
            )
            unlabelled = split in cityscapes.SPEC.unlabelled
            expected = np.full(SIZE, 255) if unlabelled else stack(TRAIN_ROW)
            np.testing.assert_array_equal(example["label"], expected)
            np.testing.assert_array_equal(numbers, 0 if unlabelled else stack(STORED_ROW))
            assert numbers.dtype == np.uint16


def test_order_is_by_city_and_unions_follow_it(tree, tmp_path):
    root, _ = tree()
    prepare("cityscapes", data_dir=tmp_path / "data", manual_dir=root)
    train = ["aachen_000000_000019", "ulm_000001_000019"]
    for split, ids in {
        "train": train,
        "trainval": [*train, "lindau_000000_000019"],
        "train_with_extra": [*train, "troisdorf_000000_000092"],
    }.items():
        source = open_source("cityscapes", split, data_dir=tmp_path / "data")
        assert [example["id"] for example in source] == ids


def test_objects_have_the_label_they_lie_on():
    objects = STORED_ROW > 0
    np.testing.assert_array_equal(STORED_ROW[objects] // 1000, LABEL_ROW[objects])


def test_label_ids_and_train_ids_give_equal_labels(tree, tmp_path):
    both, _ = tree()
    reference = prepare("cityscapes", data_dir=tmp_path / "a", manual_dir=both)
    for file in both.rglob("*_labelIds.png"):
        train_ids = file.with_name(file.name.replace("labelIds", "labelTrainIds"))
        cv2.imwrite(str(train_ids), stack(TRAIN_ROW))
        file.unlink()
    prepare("cityscapes", data_dir=tmp_path / "b", manual_dir=both)
    for split in reference.splits:
        first, second = (open_source("cityscapes", split, data_dir=tmp_path / d) for d in "ab")
        assert first.checksum == second.checksum


def test_label_ids_are_preferred_to_train_ids(tree, tmp_path):
    root, _ = tree(truth={**TRUTH, "labelTrainIds": np.zeros(SIZE, np.uint8)})
    prepare("cityscapes", data_dir=tmp_path / "data", manual_dir=root)
    label = open_source("cityscapes", "val", data_dir=tmp_path / "data")[0]["label"]
    np.testing.assert_array_equal(label, stack(TRAIN_ROW))


def test_labels_without_instances_are_read_and_it_is_said(tree, tmp_path, caplog):
    root, _ = tree()
    next(root.glob("gtFine/train/ulm/*_instanceIds.png")).unlink()
    prepare("cityscapes", data_dir=tmp_path / "data", manual_dir=root)
    assert "1 of 2 labels" in caplog.text
    assert "instance-level IoU cannot be taken on split 'train'" in caplog.text
    source = PreparedSource(cityscapes.Cityscapes, "train", data_dir=tmp_path / "data")
    assert not cv2.imdecode(np.frombuffer(source.record(1)["instances"], np.uint8), -1).any()
    assert cv2.imdecode(np.frombuffer(source.record(0)["instances"], np.uint8), -1).any()


def wrong(value, size=SIZE, dtype=np.uint8):
    return np.full(size, value, dtype)


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        ({"labelIds": wrong(34)}, r"lindau_000000_000019_gtFine_labelIds.png\) holds the values "
         r"\[34\] in 48 pixels. Label ids are 0..33"),
        ({"labelIds": np.zeros((*SIZE, 4), np.uint8)}, r"labelIds.png\) has 4 channels"),
        ({"labelIds": wrong(7, (5, 8))}, r"instanceIds.png\) is 6 x 8 px but the label .* 5 x 8"),
        ({"labelIds": wrong(7, (5, 8)), "instanceIds": wrong(7, (5, 8), np.uint16)},
         r"labelIds.png\) is 5 x 8 px but its image is 6 x 8"),
        ({"instanceIds": np.zeros((*SIZE, 3), np.uint8)}, r"instanceIds.png\) has the shape"),
    ],
)  # fmt: skip
def test_a_faulty_label_is_named(tree, tmp_path, truth, message):
    root, _ = tree()
    write_truth(root, "gtFine", "val", "lindau_000000_000019", **truth)
    with pytest.raises(DataError, match=r"of cityscapes, split 'val'.*" + message):
        prepare("cityscapes", data_dir=tmp_path / "data", manual_dir=root)


def test_train_ids_out_of_range_are_named(tree, tmp_path):
    root, _ = tree(truth={"labelTrainIds": wrong(19)})
    with pytest.raises(DataError, match=r"labelTrainIds.png\) holds the values \[19\].*0..18"):
        prepare("cityscapes", data_dir=tmp_path / "data", manual_dir=root)


def test_a_missing_label_is_named_by_the_published_file(tree, tmp_path):
    root, _ = tree()
    next(root.glob("gtFine/val/lindau/*_labelIds.png")).unlink()  # the coloured copy is left
    with pytest.raises(DataError, match=r"lindau_000000_000019_gtFine_labelIds.png\) is missing"):
        prepare("cityscapes", data_dir=tmp_path / "data", manual_dir=root)


def test_images_alone_are_no_split_but_for_test(tmp_path):
    rng = np.random.default_rng(0)
    root = tmp_path / "published"
    write_image(root, "train", "ulm_000001_000019", rng)
    write_image(root, "test", "berlin_000000_000019", rng)
    prepared = prepare("cityscapes", data_dir=tmp_path / "data", manual_dir=root)
    assert prepared.splits == {"test": 1}
    assert prepared.missing == ("train", "val", "train_extra")


def test_nothing_found_names_the_archives(tmp_path):
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "unrelated.txt").write_text("")
    with pytest.raises(FileNotFoundError, match=r"leftImg8bit_trainvaltest.zip.*--manual_dir"):
        prepare("cityscapes", data_dir=tmp_path / "data", manual_dir=tmp_path / "given")


def test_without_a_folder_the_account_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"without an account.*cityscapes-dataset.com"):
        prepare("cityscapes", data_dir=tmp_path / "data")


def test_published_counts():
    # arXiv:1604.01685 and the README of cityscapesScripts; one image of train_extra is black.
    assert cityscapes.SPEC.splits == {
        "train": 2975,
        "val": 500,
        "test": 1525,
        "train_extra": 19_998 - 1,
    }
