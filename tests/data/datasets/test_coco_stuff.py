import cv2
import numpy as np
import pytest
import scipy.io

from seg_jax.data.datasets.coco_stuff import STUFF10K, STUFF164K
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import open_source
from seg_jax.data.validate import DataError
from seg_jax.labels import IGNORE_LABEL

NEVER_ANNOTATED = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91}
"""Of the ids 1..182 of labels.txt (https://github.com/nightrome/cocostuff)."""

TO_CLASS_164K = {0: 0, 10: 10, 12: 11, 26: 24, 30: 26, 45: 40, 66: 60, 69: 61, 71: 62, 83: 73}
TO_CLASS_164K |= {89: 79, 91: 80, 156: 145, 181: 170, 255: 255}
"""Some of mmsegmentation's tools/dataset_converters/coco_stuff164k.py, `clsID_to_trID`."""

HEIGHT, WIDTH = 14, 15
USED = [i for i in range(1, 183) if i not in NEVER_ANNOTATED]


def test_names_and_counts():
    for spec in (STUFF10K, STUFF164K):
        assert spec.num_classes == 171
        names = {index: spec.classes[index] for index in (0, 11, 79, 80, 145, 170)}
        assert names == {
            0: "person",
            11: "stop sign",
            79: "toothbrush",
            80: "banner",
            145: "sky-other",
            170: "wood",
        }
    assert STUFF164K.splits == {"train": 118_287, "val": 5_000}
    assert STUFF10K.splits == {"train": 9_000, "test": 1_000}


def all_categories(void):
    """Returns a label [h, w] that holds every id of labels.txt in use, and void."""
    label = np.full(HEIGHT * WIDTH, void)
    label[: len(USED)] = USED
    return np.random.default_rng(0).permutation(label).reshape(HEIGHT, WIDTH)


def expected_classes(label, void):
    """Returns the rank of every pixel's id among those in use."""
    return np.array(
        [[IGNORE_LABEL if value == void else USED.index(value) for value in row] for row in label]
    )


def write_image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((HEIGHT, WIDTH, 3), np.uint8))


@pytest.fixture
def root(tmp_path):
    return tmp_path / "published"


@pytest.fixture
def build(tmp_path, root):
    """Returns a function (form) -> what `prepare` gives for `root`."""
    return lambda form: prepare(f"coco/{form}", data_dir=tmp_path / "data", manual_dir=root)


@pytest.fixture
def write_map(root):
    """Returns a function (split, stem, map) that writes an image and its stuff-thing map."""

    def write(split, stem, values):
        write_image(root / f"{split}2017/{stem}.jpg")
        path = root / f"stuffthingmaps/{split}2017/{stem}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), values.astype(np.uint8))

    return write


def test_stuff164k(build, write_map, tmp_path):
    label = all_categories(256)
    write_map("train", "000000000009", label - 1)
    pairs = np.array([list(TO_CLASS_164K.items())] * HEIGHT)
    write_map("val", "000000000139", np.resize(pairs[..., 0], (HEIGHT, WIDTH)))
    assert build("stuff164k").splits == {"train": 1, "val": 1}
    train, val = (
        open_source("coco/stuff164k", split, data_dir=tmp_path / "data")[0]
        for split in ("train", "val")
    )
    np.testing.assert_array_equal(train["label"], expected_classes(label, 256))
    np.testing.assert_array_equal(val["label"], np.resize(pairs[..., 1], (HEIGHT, WIDTH)))
    assert val["id"] == "000000000139"


@pytest.mark.parametrize("value", [11, 25, 90, 182, 254])
def test_stuff164k_refuses_ids_that_are_not_in_use(build, write_map, value):
    label = np.zeros((HEIGHT, WIDTH))
    label[3, 4] = value
    write_map("val", "a", label)
    with pytest.raises(DataError, match=rf"'a' of coco/stuff164k.*\[{value}\] in 1 pixels"):
        build("stuff164k")


def test_stuff164k_names_a_map_that_is_not_there(build, write_map, root):
    write_map("val", "a", np.zeros((HEIGHT, WIDTH)))
    write_map("val", "b", np.zeros((HEIGHT, WIDTH)))
    (root / "stuffthingmaps/val2017/b.png").unlink()
    with pytest.raises(DataError, match=r"val2017/b.png\) is missing"):
        build("stuff164k")


@pytest.fixture
def write_matrices(root):
    """Returns a function (split=stems) that writes COCO-Stuff 10k with that map everywhere."""

    def write(label, **splits):
        for split, stems in splits.items():
            lists = root / f"imageLists/{split}.txt"
            lists.parent.mkdir(parents=True, exist_ok=True)
            lists.write_text("".join(f"{stem}\n" for stem in stems))
            (root / "annotations").mkdir(exist_ok=True)
            for stem in stems:
                write_image(root / f"images/{stem}.jpg")
                scipy.io.savemat(
                    root / f"annotations/{stem}.mat",
                    {"S": label, "captions": np.array(["a", "b"], object)},
                    do_compression=True,
                )

    return write


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float64])
def test_stuff10k(build, write_matrices, tmp_path, kind):
    label = all_categories(0)
    stems = ["COCO_train2014_000000000077", "COCO_train2014_000000000009"]
    write_matrices(label.astype(kind), train=stems, test=["COCO_train2014_000000000113"])
    assert build("stuff10k").splits == {"train": 2, "test": 1}
    train, test, val = (
        open_source("coco/stuff10k", split, data_dir=tmp_path / "data")
        for split in ("train", "test", "val")
    )
    assert [example["id"] for example in train] == stems  # in the order of the list
    assert test[0]["id"] == val[0]["id"] == "COCO_train2014_000000000113"
    for example in (*train, *test, *val):
        np.testing.assert_array_equal(example["label"], expected_classes(label, 0))


@pytest.mark.parametrize("value", [12, 91, 183, 255])
def test_stuff10k_refuses_ids_that_are_not_in_use(build, write_matrices, value):
    label = np.ones((HEIGHT, WIDTH))
    label[3, 4] = value
    write_matrices(label, train=["a"])
    with pytest.raises(DataError, match=rf"'a' of coco/stuff10k.*\[{value}\] in 1 pixels"):
        build("stuff10k")


@pytest.mark.parametrize("value", [0.5, 300.0, -1.0, np.nan])
def test_stuff10k_refuses_what_is_no_id(build, write_matrices, value):
    write_matrices(np.full((HEIGHT, WIDTH), value), train=["a"])
    with pytest.raises(DataError, match=r"'a' of coco/stuff10k.*annotations/a.mat"):
        build("stuff10k")


@pytest.mark.parametrize("name", ["stuff10k", "stuff164k"])
def test_nothing_found_says_what_belongs_where(build, root, name):
    (root / "images").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=rf"No split of coco/{name}.*It needs .*train"):
        build(name)
