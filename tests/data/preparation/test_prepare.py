import contextlib
import dataclasses
import errno
import json
import logging
import os
import subprocess
import sys
import zipfile

import cv2
import numpy as np
import pytest

from seg_jax.data.convert import convert
from seg_jax.data.datasets import camvid
from seg_jax.data.preparation import writing
from seg_jax.data.preparation.lock import exclusive
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import open_source
from seg_jax.data.validate import DataError
from seg_jax.registry import UnknownNameError


class Told:
    """Keeps what a preparation says."""

    def __init__(self):
        self.lines, self.phases = [], []

    def say(self, line):
        self.lines.append(line)

    def start(self, phase, total, *, unit, done=0):
        self.phases.append([phase, total, unit, done])

    def advance(self, count):
        self.phases[-1][-1] += count


@pytest.fixture
def camvid_set(camvid_tree, tmp_path):
    """Returns a function (data_dir=, ...) that prepares a CamVid of three splits."""
    root = camvid_tree(train=7, val=3, test=2)

    def make(data_dir="data", **options):
        return prepare("camvid", data_dir=tmp_path / data_dir, manual_dir=root, **options)

    make.root, make.data = root, tmp_path / "data"
    return make


@pytest.fixture
def two_a_shard(monkeypatch):
    monkeypatch.setattr("seg_jax.data.preparation.shards.SHARD_BYTES", 2000)


def checksums(prepared):
    return {split: manifest.sha256 for split, manifest in prepared.manifests.items()}


def test_a_second_call_does_nothing(camvid_set):
    first = camvid_set()
    files = {p: p.stat().st_mtime_ns for p in first.path.iterdir()}
    (camvid_set.root / "train" / "train_0.png").unlink()
    second = camvid_set()
    assert (first.built, second.built) == (True, False)
    assert dataclasses.replace(second, built=True) == first
    assert {p: p.stat().st_mtime_ns for p in first.path.iterdir()} == files


def test_it_says_what_it_will_write_and_where_before_it_does(camvid_set, capfd):
    told = Told()
    prepared = camvid_set(progress=told)
    (line,) = told.lines
    assert line.startswith("camvid: train 7, val 3, test 2 examples; about 0.0 MB to write into ")
    assert f"{prepared.path}, where " in line
    assert line.endswith(" free.")
    assert told.phases == [
        ["converting", 12, "examples", 12],
        ["verifying", 12, "examples", 12],
    ]
    assert capfd.readouterr() == ("", "")  # neither TFDS's lines nor its bars
    assert prepared.bytes["train"] > 7 * 700
    assert prepared.published == camvid.SPEC.splits


def test_many_shards_hold_what_one_does(camvid_set, two_a_shard, monkeypatch):
    many = camvid_set()
    assert len(list(many.path.glob("camvid-train.array_record-*"))) == 4
    monkeypatch.undo()
    one = camvid_set("other")
    assert len(list(one.path.glob("camvid-train.array_record-*"))) == 1
    assert checksums(many) == checksums(one)
    source = open_source("camvid", "train", data_dir=camvid_set.data)
    assert [example["id"] for example in source] == [f"train_{i}" for i in range(7)]


def test_nothing_but_the_dataset_is_left(camvid_set):
    prepared = camvid_set()
    assert list((camvid_set.data / "incomplete").iterdir()) == []
    assert {path.name.partition("-")[0] for path in prepared.path.iterdir()} == {
        "camvid",
        "dataset_info.json",
        "features.json",
        "metadata.json",
        "manifest.train.json",
        "manifest.val.json",
        "manifest.test.json",
    }


KILLS = """
import json, os, pathlib, signal, sys
from seg_jax.data import manifest
from seg_jax.data.preparation import journal, prepare, shards
from seg_jax.data.preparation.shards import convert

root, reference = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])
shards.SHARD_BYTES = 2000  # two examples a shard
path = root / "data" / "camvid" / "1.1.0"

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def die_at(module, name, count):
    "Replaces a function by one that works `count` times and then kills the process."
    real, calls = getattr(module, name), iter(range(count))
    setattr(module, name, lambda *a, **k: real(*a, **k) if next(calls, None) is not None else die())

def attempt(prepare_for_death):
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    prepare_for_death()
    converted = []
    real = shards.convert
    shards.convert = lambda spec, split, item, reader: (
        converted.append(item.id), real(spec, split, item, reader))[1]
    made = prepare.prepare("camvid", data_dir=root / "data", manual_dir=root / "published")
    sums = {split: m.sha256 for split, m in made.manifests.items()}
    (root / "made.json").write_text(json.dumps([len(converted), sums, made.built]))
    os._exit(0)

from seg_jax.data import builder
moments = [
    (lambda: die_at(shards, "convert", 0), 12),          # before anything
    (lambda: die_at(shards, "convert", 5), 12),          # amid the third shard
    (lambda: die_at(journal, "write_json", 1), 8),       # one more is written, but not noted
    (lambda: die_at(builder, "link", 3), 6),             # all are written, not all in place
    (lambda: die_at(manifest, "decode_label", 2), 0),    # amid reading back
    (lambda: die_at(prepare, "write_manifest", 1), 0),   # between two manifests
    (lambda: die_at(prepare, "_reach_the_disk", 0), 0),  # before the name
]
for prepare_for_death, _ in moments:
    assert os.WIFSIGNALED(attempt(prepare_for_death))
    assert not path.exists()
print(*sorted(p.name for p in (root / "data" / "incomplete").rglob("*.array_record")))
assert attempt(lambda: None) == 0
assert json.loads((root / "made.json").read_text()) == [0, reference, True]
assert attempt(lambda: die_at(shards, "convert", 0)) == 0
assert json.loads((root / "made.json").read_text()) == [0, reference, False]
assert not list((root / "data" / "incomplete").iterdir())
"""


def test_killed_at_any_moment_it_continues_to_the_same_dataset(camvid_set, tmp_path, python_env):
    reference = checksums(camvid_set("reference"))
    command = [sys.executable, "-c", KILLS, str(tmp_path), json.dumps(reference)]
    done = subprocess.run(command, env=python_env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        f"{split}-{first:08d}.array_record"
        for split, count in (("test", 2), ("train", 7), ("val", 3))
        for first in range(0, count, 2)
    ]


def counting(seen, after=1000):
    """Returns a conversion that notes ids, and is interrupted after so many."""

    def count(spec, split, item, reader):
        if len(seen) == after:
            raise KeyboardInterrupt
        seen.append(item.id)
        return convert(spec, split, item, reader)

    return count


def test_after_ctrl_c_only_the_rest_is_converted(camvid_set, two_a_shard, monkeypatch):
    seen: list[str] = []
    monkeypatch.setattr("seg_jax.data.preparation.shards.convert", counting(seen, 5))
    with pytest.raises(KeyboardInterrupt):
        camvid_set()
    assert not (camvid_set.data / "camvid" / "1.1.0").exists()
    rest: list[str] = []
    monkeypatch.setattr("seg_jax.data.preparation.shards.convert", counting(rest))
    told = Told()
    continued = camvid_set(progress=told)
    assert " ".join(rest) == "train_4 train_5 train_6 val_0 val_1 val_2 test_0 test_1"
    assert told.lines[1] == "Continues: 4 of 12 examples are converted."
    assert told.phases[0] == ["converting", 12, "examples", 12]
    assert checksums(continued) == checksums(camvid_set("other"))


def test_a_file_that_changed_meanwhile_is_converted_again(camvid_set, two_a_shard, monkeypatch):
    monkeypatch.setattr("seg_jax.data.preparation.shards.convert", counting([], 9))
    with pytest.raises(KeyboardInterrupt):
        camvid_set()
    label = camvid_set.root / "trainannot" / "train_2.png"
    cv2.imwrite(str(label), np.full((12, 16), 3, np.uint8))
    again: list[str] = []
    monkeypatch.setattr("seg_jax.data.preparation.shards.convert", counting(again))
    camvid_set()
    assert again[:2] == ["train_2", "train_3"]
    assert not {"train_0", "train_1", "train_4", "train_5", "train_6"} & set(again)
    example = open_source("camvid", "train", data_dir=camvid_set.data)[2]
    assert (example["label"] == 3).all()


def test_a_damaged_shard_is_converted_again(camvid_set, two_a_shard, monkeypatch, caplog):
    monkeypatch.setattr("seg_jax.data.preparation.shards.convert", counting([], 5))
    with pytest.raises(KeyboardInterrupt):
        camvid_set()
    shard = next(camvid_set.data.rglob("train-00000000.array_record"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    again: list[str] = []
    monkeypatch.setattr("seg_jax.data.preparation.shards.convert", counting(again))
    with caplog.at_level(logging.WARNING):
        continued = camvid_set()
    assert again[:3] == ["train_0", "train_1", "train_4"]
    assert "train-00000000.array_record is damaged" in caplog.text
    assert checksums(continued) == checksums(camvid_set("other"))


def spoil(root, split, *numbers):
    for number in numbers:
        path = root / f"{split}annot" / f"{split}_{number}.png"
        cv2.imwrite(str(path), np.full((12, 16), 200, np.uint8))


def test_all_faults_are_named_together_and_only_the_repaired_is_redone(
    camvid_set, two_a_shard, monkeypatch, caplog
):
    spoil(camvid_set.root, "train", 0, 5)
    spoil(camvid_set.root, "val", 2)
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(DataError, match=r"^3 of 12 examples of 'camvid' cannot be used\. ") as e,
    ):
        camvid_set()
    for name in ("train_0", "train_5", "val_2"):
        assert f"'{name}' of camvid" in str(e.value)
        assert f"'{name}' of camvid" in caplog.text
    assert not (camvid_set.data / "camvid" / "1.1.0").exists()
    for split, number in (("train", 0), ("train", 5), ("val", 2)):
        path = camvid_set.root / f"{split}annot" / f"{split}_{number}.png"
        cv2.imwrite(str(path), np.zeros((12, 16), np.uint8))
    again: list[str] = []
    monkeypatch.setattr("seg_jax.data.preparation.shards.convert", counting(again))
    camvid_set()
    assert again == ["train_0", "train_1", "train_4", "train_5", "val_2"]


def test_many_faults_are_counted_and_the_first_shown(camvid_set, two_a_shard, monkeypatch):
    spoil(camvid_set.root, "train", *range(7))
    monkeypatch.setattr(writing, "SHOWN_FAULTS", 3)
    monkeypatch.setattr(writing, "MAX_FAULTS", 6)
    with pytest.raises(DataError) as e:
        camvid_set()
    first, *shown, last = str(e.value).splitlines()
    assert first.startswith("6 of 6 examples of 'camvid' cannot be used, and the others were not")
    assert [f"train_{i}" in line for i, line in enumerate(shown)] == [True] * 3
    assert last == "  And 3 more, each in the log above."


def test_wrong_counts_are_said(camvid_tree, tmp_path, caplog):
    root = camvid_tree(train=2)
    with caplog.at_level(logging.WARNING):
        prepare("camvid", data_dir=tmp_path / "data", manual_dir=root)
    assert "'train' of camvid holds 2 examples where its authors state 367" in caplog.text


def test_counts_that_nobody_states_are_not_missed(camvid_tree, tmp_path, caplog, monkeypatch):
    spec = dataclasses.replace(camvid.SPEC, splits={"train": 0, "val": 0, "test": 0})
    monkeypatch.setattr(camvid.CamVid, "SPEC", spec)
    with caplog.at_level(logging.WARNING):
        prepare("camvid", data_dir=tmp_path / "data", manual_dir=camvid_tree(train=2))
    assert caplog.text == ""


def test_no_tensorflow_is_needed(camvid_set):
    camvid_set()
    assert "tensorflow" not in sys.modules


def test_mistakes_of_the_caller_are_named(tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'camvid'"):
        prepare("canvid", data_dir=tmp_path)
    with pytest.raises(FileNotFoundError, match=r"--manual_dir=.*nowhere is not a folder"):
        prepare("camvid", data_dir=tmp_path, manual_dir=tmp_path / "nowhere")


@pytest.mark.parametrize(("make", "fault"), [(True, "is empty"), (False, "is not a folder")])
def test_a_manual_folder_with_nothing_in_it_says_what_belongs_there(tmp_path, make, fault):
    folder = tmp_path / "manual"
    if make:
        folder.mkdir()
    with pytest.raises(FileNotFoundError, match=rf"{fault}. Put there: .*trainannot/"):
        prepare("camvid", data_dir=tmp_path / "data", manual_dir=folder)


def test_one_dataset_is_prepared_by_one_process_at_a_time(camvid_set):
    lock = camvid_set.data / "incomplete" / "camvid.lock"
    with (
        exclusive(lock, "held"),
        pytest.raises(
            RuntimeError, match=rf"'camvid' is being prepared in .* process {os.getpid()}"
        ),
    ):
        camvid_set()
    assert camvid_set().built


def test_a_dataset_that_does_not_fit_is_not_begun(camvid_set, monkeypatch):
    monkeypatch.setattr("seg_jax.data.preparation.disk.free_bytes", lambda _: 100)
    with pytest.raises(
        OSError, match=r"^Dataset 'camvid' needs about .* has 0.0 MB free.*data_dir"
    ):
        camvid_set()
    assert not list(camvid_set.data.rglob("*.array_record"))


@pytest.fixture
def mounted(tmp_path):
    """Returns a function (options) -> a small file system, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options):
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, check=False)
        except FileNotFoundError:
            pytest.skip("There is no program that mounts.")
        if done.returncode:
            pytest.skip("A small file system cannot be mounted here.")
        return folder

    yield mount
    if os.path.ismount(folder):
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_becomes_full_is_named_and_with_room_it_continues(
    camvid_set, two_a_shard, mounted, monkeypatch
):
    disk = mounted("size=1m")
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(500_000))

    def fill(spec, split, item, reader):
        if item.id == "val_0":
            with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as out:
                while out.write(bytes(4096)) == 4096:
                    pass
        return convert(spec, split, item, reader)

    monkeypatch.setattr("seg_jax.data.preparation.shards.convert", fill)
    with pytest.raises(OSError, match=rf"holds {disk}/data is full: 0.0 MB are left.*continues"):
        camvid_set(disk / "data")
    ballast.unlink()
    seen: list[str] = []
    monkeypatch.setattr("seg_jax.data.preparation.shards.convert", counting(seen))
    assert checksums(camvid_set(disk / "data")) == checksums(camvid_set("other"))
    assert seen[:5] == ["val_0", "val_1", "val_2", "test_0", "test_1"]


def test_a_disk_that_cannot_be_written_is_named(camvid_set, mounted):
    disk = mounted("ro,size=1m")
    with pytest.raises(OSError, match=rf"^{disk}/data cannot be written \(Read-only.*--data_dir"):
        camvid_set(disk / "data")


def test_archives_in_the_folder_are_unpacked(camvid_set, tmp_path):
    manual = tmp_path / "manual"
    manual.mkdir()
    for part in ("", "annot"):
        with zipfile.ZipFile(manual / f"some{part}.zip", "w") as out:
            for split in ("train", "val", "test"):
                for path in (camvid_set.root / f"{split}{part}").iterdir():
                    out.write(path, f"CamVid/{split}{part}/{path.name}")
    both = tmp_path / "both.zip"
    with zipfile.ZipFile(both, "w") as out:
        for path in camvid_set.root.rglob("*.png"):
            out.write(path, f"CamVid/{path.relative_to(camvid_set.root)}")
    with pytest.raises(FileNotFoundError, match=rf"not found in {manual} or"):
        prepare("camvid", data_dir=tmp_path / "one", manual_dir=manual)  # pairs are torn apart
    both.rename(manual / "both.zip")
    prepared = prepare("camvid", data_dir=tmp_path / "data", manual_dir=manual)
    assert checksums(prepared) == checksums(camvid_set("other"))
    assert not list((tmp_path / "data" / "incomplete").iterdir())


def test_a_split_that_the_spec_does_not_know_is_a_defect(camvid_set, monkeypatch):
    listed = camvid.CamVid.list_items

    def with_one_more(self, root):
        items = listed(self, root)
        return {**items, "extra": items["train"]}

    monkeypatch.setattr(camvid.CamVid, "list_items", with_one_more)
    with pytest.raises(KeyError, match=r"CamVid.list_items gives \['extra'\]"):
        camvid_set()


def test_splits_without_examples_are_no_dataset(camvid_tree, tmp_path):
    root = camvid_tree(train=0, val=0)
    with pytest.raises(FileNotFoundError, match=r"No split of 'camvid' in .* has an example. Put"):
        prepare("camvid", data_dir=tmp_path / "data", manual_dir=root)


def test_a_dataset_that_lost_a_manifest_is_not_taken_for_whole(camvid_set):
    prepared = camvid_set()
    (prepared.path / "manifest.val.json").unlink()
    with pytest.raises(FileNotFoundError, match=rf"{prepared.path} does not hold all of .*Delete"):
        camvid_set()


def test_what_has_become_stale_is_prepared_again(camvid_set, monkeypatch):
    before = checksums(camvid_set())
    label = camvid_set.root / "trainannot" / "train_2.png"
    cv2.imwrite(str(label), np.full((12, 16), 3, np.uint8))
    reasons = iter(["files changed", "files changed"])
    monkeypatch.setattr(camvid.CamVid, "stale", lambda self: next(reasons, ""))
    again = camvid_set()
    assert again.built
    assert checksums(again)["train"] != before["train"]
    assert checksums(again)["val"] == before["val"]
    assert checksums(again) == checksums(camvid_set("other"))
    assert not camvid_set().built


def test_without_links_files_are_moved(camvid_set, monkeypatch):
    def no_links(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    assert checksums(camvid_set()) == checksums(camvid_set("other"))
