import dataclasses
import hashlib
import zipfile

import cv2
import numpy as np
import pytest

from seg_jax.data.datasets import cell_tracking
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import PreparedSource, open_source
from seg_jax.data.spec import Archive
from seg_jax.data.validate import DataError

SETS = {
    "cell_tracking/dic_hela": cell_tracking.DicHeLa,
    "cell_tracking/phc_u373": cell_tracking.PhCU373,
}
HELA = "cell_tracking/dic_hela"
FRAMES = {"01": ("002", "005"), "02": ("006",)}
SIZE = (6, 8)


def masks():
    """Gold cells 1 and 300; silver has both of another shape, and a third cell."""
    gold, silver = np.zeros((2, *SIZE), np.uint16)
    gold[0:2, 0:3], gold[4:6, 0:2] = 1, 300
    silver[0:2, 0:4], silver[4:6, 0:3], silver[2:4, 5:8] = 7, 8, 9
    return gold, silver


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)


def image_of(sequence, frame):
    seed = int(sequence) * 1000 + int(frame)
    return np.random.default_rng(seed).integers(0, 256, SIZE, np.uint8)


@pytest.fixture
def tree(tmp_path):
    """Returns a function (folder, silver=) -> what its training archive unpacks to."""

    def make(folder="DIC-C2DH-HeLa", *, silver=True):
        root = tmp_path / "published" / folder
        gold_mask, silver_mask = masks()
        for sequence, segmented in FRAMES.items():
            for frame in ("000", "002", "005", "006"):
                write(root / sequence / f"t{frame}.tif", image_of(sequence, frame))
                if silver:
                    name = f"man_seg{frame}.tif"
                    write(root / f"{sequence}_ST" / "SEG" / name, silver_mask)
            for frame in segmented:
                write(root / f"{sequence}_GT" / "SEG" / f"man_seg{frame}.tif", gold_mask)
            marker = np.zeros(SIZE, np.uint16)
            write(root / f"{sequence}_GT" / "TRA" / "man_track000.tif", marker)
        return root

    return make


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("inside", [True, False])
def test_segmented_frames_are_the_examples(tree, tmp_path, name, inside):
    root = tree(SETS[name].FOLDER)
    given = root if inside else root.parent
    prepared = prepare(name, data_dir=tmp_path / "data", manual_dir=given)
    assert prepared.splits == {"sequence_01": 2, "sequence_02": 1}
    gold, silver = masks()
    expected = (gold > 0).astype(np.uint8)
    expected[silver == 9] = 255  # a cell that gold truth leaves out
    for split, sequence in (("sequence_01", "01"), ("sequence_02", "02")):
        source = PreparedSource(SETS[name], split, data_dir=tmp_path / "data")
        assert [x["id"] for x in source] == [f"{sequence}_{f}" for f in FRAMES[sequence]]
        for position, frame in enumerate(FRAMES[sequence]):
            example, record = source[position], source.record(position)
            grey = image_of(sequence, frame)
            np.testing.assert_array_equal(example["image"], grey[..., None].repeat(3, 2))
            assert record["image"].startswith(b"\x89PNG")
            np.testing.assert_array_equal(example["label"], expected)
            numbers = cv2.imdecode(np.frombuffer(record["instances"], np.uint8), -1)
            np.testing.assert_array_equal(numbers, gold)
            assert numbers.dtype == np.uint16


def test_without_silver_truth_the_rest_is_background(tree, tmp_path):
    root = tree(silver=False)
    prepare(HELA, data_dir=tmp_path / "data", manual_dir=root)
    label = open_source(HELA, "sequence_02", data_dir=tmp_path / "data")[0]["label"]
    np.testing.assert_array_equal(label, masks()[0] > 0)


def test_a_silver_cell_is_left_out_unless_gold_covers_more_than_half():
    rng = np.random.default_rng(0)
    gold = (rng.random((20, 20)) < 0.5).astype(np.uint16)
    silver = rng.integers(0, 40, (20, 20), np.uint16)
    silver[0, 0:2] = 41
    gold[0, 0:2] = 1, 0  # exactly half of cell 41
    absent = set()
    for cell in range(1, 42):
        inside = [gold[r, c] > 0 for r in range(20) for c in range(20) if silver[r, c] == cell]
        if not sum(inside) > len(inside) / 2:
            absent.add(cell)
    assert 41 in absent
    assert 0 < len(absent) < 41
    expected = np.array(
        [[silver[r, c] in absent and not gold[r, c] for c in range(20)] for r in range(20)]
    )
    np.testing.assert_array_equal(cell_tracking.left_out(gold, silver), expected)


def test_the_sequences_are_the_folds(tree, tmp_path):
    prepare(HELA, data_dir=tmp_path / "data", manual_dir=tree())
    ids = {
        split: [x["id"] for x in open_source(HELA, split, data_dir=tmp_path / "data")]
        for split in cell_tracking.DicHeLa.SPEC.derived
    }
    first, second = ["01_002", "01_005"], ["02_006"]
    assert ids == {
        "train": first + second,
        "fold0_train": second,
        "fold0_val": first,
        "fold1_train": first,
        "fold1_val": second,
    }


COLOURED, SHORTER = np.zeros((*SIZE, 3), np.uint8), (SIZE[0] - 1, SIZE[1])


@pytest.mark.parametrize(
    ("relative", "pixels", "message"),
    [
        ("01_GT/SEG/man_seg005.tif", COLOURED, r"man_seg005.tif\) has the shape"),
        ("01_GT/SEG/man_seg005.tif", np.zeros(SHORTER, np.uint16),
         r"01_ST/SEG/man_seg005.tif\) is 6 x 8 px but the label beside it is 5 x 8"),
        ("01/t005.tif", np.zeros(SHORTER, np.uint8),
         r"01_GT/SEG/man_seg005.tif\) is 6 x 8 px but its image is 5 x 8"),
        ("01/t005.tif", np.zeros(SIZE, np.uint16), r"t005.tif\) has a page 0 .* 8 bit"),
    ],
)  # fmt: skip
def test_a_faulty_file_is_named(tree, tmp_path, relative, pixels, message):
    root = tree()
    write(root / relative, pixels)
    with pytest.raises(DataError, match=r"'01_005' of cell_tracking/dic_hela.*" + message):
        prepare(HELA, data_dir=tmp_path / "data", manual_dir=root)


def test_a_missing_or_damaged_frame_is_named(tree, tmp_path):
    root = tree()
    frame = root / "02" / "t006.tif"
    frame.write_bytes(frame.read_bytes()[:20])
    with pytest.raises(DataError, match=r"02/t006.tif\) cannot be decoded"):
        prepare(HELA, data_dir=tmp_path / "data", manual_dir=root)
    frame.unlink()
    with pytest.raises(DataError, match=r"02/t006.tif\) is missing"):
        prepare(HELA, data_dir=tmp_path / "data", manual_dir=root)


def test_the_archive_is_read_as_it_unpacks(tree, tmp_path, monkeypatch):
    root = tree()
    archive = tmp_path / "served.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for path in root.rglob("*"):
            out.write(path, path.relative_to(root.parent))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    offered = Archive(archive.as_uri(), "DIC-C2DH-HeLa.zip", archive.stat().st_size, sha256=digest)
    spec = dataclasses.replace(cell_tracking.DicHeLa.SPEC, archives=(offered,))
    monkeypatch.setattr(cell_tracking.DicHeLa, "SPEC", spec)
    prepared = prepare(HELA, data_dir=tmp_path / "data")
    assert prepared.splits == {"sequence_01": 2, "sequence_02": 1}


def test_the_other_set_is_not_taken_for_it(tree, tmp_path):
    root = tree("PhC-C2DH-U373")
    with pytest.raises(
        FileNotFoundError, match=r"DIC-C2DH-HeLa was not found.*test archive has no"
    ):
        prepare(HELA, data_dir=tmp_path / "data", manual_dir=root.parent)
