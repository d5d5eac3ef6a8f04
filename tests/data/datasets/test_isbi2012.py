import cv2
import numpy as np
import pytest
from scipy import ndimage

from seg_jax.data.datasets import isbi2012
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import PreparedSource, open_source
from seg_jax.data.validate import DataError

SIZE = (8, 10)
COUNT = 6


def sections():
    rng = np.random.default_rng(0)
    images = list(rng.integers(0, 256, (COUNT, *SIZE), np.uint8))
    labels = list(np.where(rng.random((COUNT, *SIZE)) < 0.4, 0, 255).astype(np.uint8))
    return images, labels


def write_stacks(root, images, labels, test=()):
    root.mkdir(parents=True)
    stacks = {"train-volume": images, "train-labels": labels, "test-volume": test}
    for name, pages in stacks.items():
        if len(pages):
            cv2.imwritemulti(str(root / f"{name}.tif"), list(pages))


def write_pictures(root, images, labels):
    for folder, pages in {"image": images, "label": labels}.items():
        (root / folder).mkdir(parents=True)
        for number, page in enumerate(pages):
            cv2.imwrite(str(root / folder / f"{number:02d}.png"), page)


def numbers_of(source, position):
    data = np.frombuffer(source.record(position)["instances"], np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("write", [write_stacks, write_pictures])
@pytest.mark.parametrize("above", ["", "ISBI-2012-challenge"])
def test_both_layouts_are_read(tmp_path, write, above):
    images, labels = sections()
    write(tmp_path / "published" / above, images, labels)
    prepared = prepare("isbi2012", data_dir=tmp_path / "data", manual_dir=tmp_path / "published")
    assert prepared.splits == {"train": COUNT}
    source = PreparedSource(isbi2012.ISBI2012, "train", data_dir=tmp_path / "data")
    assert [example["id"] for example in source] == [f"{i:02d}" for i in range(COUNT)]
    for position, example in enumerate(source):
        np.testing.assert_array_equal(example["image"], images[position][..., None].repeat(3, 2))
        # White is the cell's class, never the label of ignored pixels.
        np.testing.assert_array_equal(example["label"], labels[position] == 255)
        expected, count = ndimage.label(labels[position])  # touching by sides, the default
        numbers = numbers_of(source, position)
        assert numbers.dtype == np.uint16
        pairs = set(zip(expected.ravel().tolist(), numbers.ravel().tolist(), strict=True))
        assert len(pairs) == count + 1  # the same regions, however they are numbered
        assert (0, 0) in pairs


def test_cells_that_touch_by_a_corner_are_two():
    ids = np.eye(2, dtype=np.uint8)
    assert sorted(isbi2012.number_cells(ids).ravel().tolist()) == [0, 0, 1, 2]


def test_the_test_stack_has_no_labels(tmp_path):
    images, labels = sections()
    write_stacks(tmp_path / "published", images, labels, images[::-1])
    cv2.imwritemulti(str(tmp_path / "published" / "test-labels.tif"), labels)  # not read
    prepared = prepare("isbi2012", data_dir=tmp_path / "data", manual_dir=tmp_path / "published")
    assert prepared.splits == {"train": COUNT, "test": COUNT}
    source = open_source("isbi2012", "test", data_dir=tmp_path / "data")
    for example, image in zip(source, images[::-1], strict=True):
        np.testing.assert_array_equal(example["image"][..., 0], image)
        np.testing.assert_array_equal(example["label"], np.full(SIZE, 255))


def test_stacks_of_unequal_length_are_refused(tmp_path):
    images, labels = sections()
    write_stacks(tmp_path / "published", images, labels[:-1])
    with pytest.raises(DataError, match=r"train-volume.tif has 6 pages but .*labels.tif has 5"):
        prepare("isbi2012", data_dir=tmp_path / "data", manual_dir=tmp_path / "published")


@pytest.mark.parametrize("write", [write_stacks, write_pictures])
def test_other_values_are_named(tmp_path, write):
    images, labels = sections()
    labels[4] = np.ones(SIZE, np.uint8)  # saved as 0 and 1
    write(tmp_path / "published", images, labels)
    message = r"label of example '04' of isbi2012.* holds the values \[1\] in 80 pixels.*0.*255"
    with pytest.raises(DataError, match=message):
        prepare("isbi2012", data_dir=tmp_path / "data", manual_dir=tmp_path / "published")


def test_a_label_of_another_size_is_named(tmp_path):
    images, labels = sections()
    labels[2] = labels[2][:-1]
    write_pictures(tmp_path / "published", images, labels)
    with pytest.raises(DataError, match=r"label/02.png\) is 7 x 10 px but its image is 8 x 10"):
        prepare("isbi2012", data_dir=tmp_path / "data", manual_dir=tmp_path / "published")


def test_a_missing_label_is_named(tmp_path):
    write_pictures(tmp_path / "published", *sections())
    (tmp_path / "published" / "label" / "03.png").unlink()
    with pytest.raises(DataError, match=r"label/03.png\) is missing"):
        prepare("isbi2012", data_dir=tmp_path / "data", manual_dir=tmp_path / "published")


def test_nothing_found_says_what_belongs_there(tmp_path):
    (tmp_path / "given" / "image").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"train-volume.tif.*image/\*.png.*--manual_dir"):
        prepare("isbi2012", data_dir=tmp_path / "data", manual_dir=tmp_path / "given")


def test_the_real_set(asset, tmp_path):
    root = asset("data/isbi2012")
    assert prepare("isbi2012", data_dir=tmp_path, manual_dir=root).splits == {"train": 30}
    source = PreparedSource(isbi2012.ISBI2012, "train", data_dir=tmp_path)
    cells = 0
    for position, example in enumerate(source):
        white = (
            cv2.imread(str(root / "label" / f"{example['id']}.png"), cv2.IMREAD_UNCHANGED) == 255
        )
        assert example["image"].shape == (512, 512, 3)
        np.testing.assert_array_equal(example["label"], white)
        numbers = numbers_of(source, position)
        assert numbers.max() == ndimage.label(white)[1]
        cells += white.sum()
        # Membranes are dark in the micrograph, so the classes are not exchanged.
        grey = example["image"][..., 0]
        assert grey[~white].mean() < grey[white].mean()
    membrane, cell, ignored = source.manifest.pixels
    assert (membrane, cell, ignored) == (30 * 512 * 512 - cells, cells, 0)


def test_folds_of_the_real_set_are_disjoint_and_complete(asset, tmp_path):
    root = asset("data/isbi2012")
    prepare("isbi2012", data_dir=tmp_path, manual_dir=root)
    everything = [f"{i:02d}" for i in range(30)]
    held_out = []
    for fold in range(5):
        train, val = (
            [x["id"] for x in open_source("isbi2012", f"fold{fold}_{side}", data_dir=tmp_path)]
            for side in ("train", "val")
        )
        assert sorted(train + val) == everything
        assert len(val) == 6
        held_out += val
    assert held_out == everything  # blocks of neighbours, in order
