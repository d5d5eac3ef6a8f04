import errno
import functools
import hashlib
import os
import subprocess

import cv2
import numpy as np
import pytest
from array_record.python.array_record_module import ArrayRecordReader
from hypothesis import given
from hypothesis import strategies as st

from seg_jax.data.datasets.camvid import CamVid
from seg_jax.data.items import Parts
from seg_jax.data.preparation import shards as module
from seg_jax.data.preparation.shards import (
    MAX_SHARDS,
    SHARD_BYTES,
    WriteError,
    cut,
    make_shards,
    write_shard,
)


@pytest.fixture
def shards_of(camvid_tree, tmp_path):
    """Returns a function (folder, split=count) -> the shards of a small CamVid, and its root."""

    def make(folder=None, reader=None, **counts):
        root = camvid_tree(**counts)
        builder = CamVid(data_dir=tmp_path / "data")
        folder = folder or tmp_path / "shards"
        folder.mkdir(exist_ok=True)
        reader = reader or builder.reader(root)
        items = builder.list_items(root)
        return make_shards(CamVid.SPEC, "1.0.0", items, reader, builder.info.features, folder)

    return make


sizes = st.integers(1, 200_000)
weights = st.integers(1, 50_000_000)


@given(sizes, weights)
def test_shards_cover_a_split_in_order_and_are_few(num_items, mean):
    parts = list(cut(num_items, num_items * mean))
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(num_items))
    assert 1 <= len(parts) <= MAX_SHARDS
    length = parts[0].stop
    assert all(part.stop - part.start == length for part in parts[:-1])
    if length > 1 and len(parts) <= MAX_SHARDS // 2:  # no more than that limit asks for
        assert length * mean <= SHARD_BYTES or len(parts) == 1


@given(st.integers(2, 20_000), weights)
def test_a_repaired_or_a_further_file_moves_no_border(num_items, mean):
    one = list(cut(num_items, num_items * mean))
    same = SHARD_BYTES // mean == SHARD_BYTES * (num_items + 1) // ((num_items + 1) * mean + 1)
    other = list(cut(num_items + 1, (num_items + 1) * mean + 1))
    if same and num_items % MAX_SHARDS:
        assert one[:-1] == other[: len(one) - 1]


def test_a_split_of_nothing_has_no_shards():
    assert list(cut(0, 0)) == []


def test_a_shard_holds_its_examples_and_says_how_large_they_are(shards_of):
    (shard,), total = shards_of(train=3)
    files = [path for item in shard.items for path in (item.image, item.label)]
    assert total == sum(path.stat().st_size for path in files)
    outcome = write_shard(shard)
    assert outcome == ("train", 3, ())
    reader = ArrayRecordReader(os.fspath(shard.file))
    records = reader.read_all()
    reader.close()
    assert len(records) == 3
    for record, item in zip(records, shard.items, strict=True):
        assert item.image.read_bytes() in record  # as published
        assert item.id.encode() in record
    assert sorted(path.suffix for path in shard.file.parent.iterdir()) == [".array_record", ".json"]


def test_it_is_written_equally_every_time(shards_of):
    (shard,), _ = shards_of(train=3)
    digests = set()
    for _ in range(2):
        write_shard(shard)
        digests.add(hashlib.sha256(shard.file.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_all_faulty_items_are_found_and_nothing_is_written(shards_of):
    (shard,), _ = shards_of(train=4)
    shard.items[1].image.write_bytes(b"")
    shard.items[2].label.unlink()
    cv2.imwrite(str(shard.items[3].label), np.full((12, 16), 200, np.uint8))
    outcome = write_shard(shard)
    assert outcome.num_examples == 4
    assert [name in fault for name, fault in zip(("_1", "_2", "_3"), outcome.faults, strict=True)]
    for words, fault in zip(("0 bytes", "is missing", "[200]"), outcome.faults, strict=True):
        assert words in fault
    assert list(shard.file.parent.iterdir()) == []


def refuse(item, origin):
    raise PermissionError(errno.EACCES, "Permission denied", str(item.label))


def test_a_file_that_may_not_be_read_is_a_fault_of_its_item(shards_of):
    (shard,), _ = shards_of(train=1, reader=refuse)
    (fault,) = write_shard(shard).faults
    assert "label of example 'train_0'" in fault
    assert "trainannot/train_0.png (Permission denied)" in fault


def reader_with_a_defect(item, origin):
    return Parts(**{"no": "such field"})


def test_a_defect_is_none(shards_of):
    (shard,), _ = shards_of(train=1, reader=reader_with_a_defect)
    with pytest.raises(TypeError):
        write_shard(shard)
    assert list(shard.file.parent.iterdir()) == []


def test_it_gives_up_when_asked(shards_of):
    (shard,), _ = shards_of(train=4)
    answers = iter([False, False, True])
    assert write_shard(shard, lambda: next(answers)).num_examples == 0
    assert list(shard.file.parent.iterdir()) == []


def test_the_fingerprint_is_that_of_everything_the_shard_depends_on(shards_of, camvid_tree):
    (shard,), _ = shards_of(train=2)
    seen = {shard.fingerprint}

    def again(**changes):
        builder = CamVid(data_dir=shard.file.parent)
        arguments = {
            "spec": CamVid.SPEC,
            "version": "1.0.0",
            "items": {"train": shard.items},
            "reader": shard.reader,
            "features": builder.info.features,
            "folder": shard.file.parent,
        }
        ((made,), _) = make_shards(**{**arguments, **changes})
        return made.fingerprint

    assert again() in seen
    for change in (
        {"version": "1.0.1"},
        {"items": {"val": shard.items}},
        {"items": {"train": shard.items[::-1]}},
        {"items": {"train": [item._replace(annotation=[1]) for item in shard.items]}},
        {"items": {"train": [item._replace(annotation=[2]) for item in shard.items]}},
        {"reader": functools.partial(shard.reader, origin=1)},
        {"reader": functools.partial(shard.reader, origin=2)},
        {"reader": refuse},
    ):
        assert again(**change) not in seen
        seen.add(again(**change))
    extra = shard.file.with_name("polygons.txt")
    extra.write_text("1")
    named = {"items": {"train": [item._replace(annotation=(3, extra)) for item in shard.items]}}
    seen.add(again(**named))
    extra.write_text("12")
    assert again(**named) not in seen
    os.utime(shard.items[0].label, ns=(1, 1))
    assert again() not in seen


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 200 kB, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("A small file system cannot be mounted here.")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_told_by_its_number(small_disk, shards_of):
    (shard,), _ = shards_of(folder=small_disk, train=3)
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    cv2.imwrite(str(shard.items[1].image), noise)
    cv2.imwrite(str(shard.items[1].label), np.zeros((300, 300), np.uint8))
    with pytest.raises(WriteError, match="No space left on device") as raised:
        write_shard(shard)
    assert raised.value.errno == errno.ENOSPC
    assert list(small_disk.iterdir()) == []


class FailingWriter:
    def __init__(self, *_):
        pass

    def write(self, _):
        pass

    def close(self):
        raise RuntimeError("write() failed: Disk quota exceeded; writing x; at byte 3")


def test_a_writer_that_fails_at_the_very_end_is_not_believed(shards_of, monkeypatch):
    (shard,), _ = shards_of(train=1)
    monkeypatch.setattr(module, "ArrayRecordWriter", FailingWriter)
    with pytest.raises(WriteError, match="quota") as raised:
        write_shard(shard)
    assert raised.value.errno == errno.EDQUOT
    assert list(shard.file.parent.iterdir()) == []
