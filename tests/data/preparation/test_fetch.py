import dataclasses
import hashlib
import os
import zipfile

import pytest

from seg_jax.data.datasets.camvid import SPEC
from seg_jax.data.preparation.disk import DiskFullError
from seg_jax.data.preparation.fetch import fetch, unpack_found
from seg_jax.data.spec import Archive
from seg_jax.data.validate import DataError


class Told:
    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)

    def start(self, phase, total, *, unit, done=0):
        pass

    def advance(self, count):
        pass


def write_zip(path, **members):
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as out:
        for name, text in members.items():
            out.writestr(name, text)
    return path


def offering(*archives, name="family/form"):
    return dataclasses.replace(SPEC, name=name, archives=archives)


@pytest.fixture
def offered(tmp_path):
    """Two archives of 1 and 2 files that are served."""
    one = write_zip(tmp_path / "served" / "one.v1.zip", a="1")
    two = write_zip(tmp_path / "served" / "two.zip", b="2", c="3")
    return [
        Archive(one.as_uri(), "one.v1.zip", bytes=one.stat().st_size),
        Archive(two.as_uri(), "two.zip", sha256=hashlib.sha256(two.read_bytes()).hexdigest()),
    ]


def files(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_sizes_are_said_and_archives_are_kept_for_the_other_forms(offered, tmp_path):
    told = Told()
    root = fetch(offering(*offered), tmp_path / "downloads", told)
    assert told.lines[0] == (
        "family/form: downloads 0.0 MB in 2 archives (size of two.zip not known before) into "
        f"{tmp_path / 'downloads'}."
    )
    assert files(root) == ["one.v1/a", "two/b", "two/c"]
    for archive in offered:
        os.unlink(archive.url.removeprefix("file://"))
    told = Told()
    assert fetch(offering(*offered, name="family/other"), tmp_path / "downloads", told) == root
    assert told.lines == []


def test_an_archive_that_was_put_there_is_checked_and_not_deleted(offered, tmp_path):
    file = write_zip(tmp_path / "downloads" / "two.zip", b="changed")
    with pytest.raises(DataError, match=rf"two.zip .*sha256.* still in {file.parent}"):
        fetch(offering(*offered), file.parent)
    assert file.exists()
    assert not (file.parent / "family" / "two").exists()


def test_without_an_account_nothing_can_be_fetched(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"without an account.*--manual_dir"):
        fetch(offering(), tmp_path)


def test_without_a_network_the_ways_out_are_named(tmp_path):
    gone = Archive("http://127.0.0.1:9/a.zip", "a.zip")
    with pytest.raises(FileNotFoundError, match=r"'family/form' could not .*refused.*manual_dir"):
        fetch(offering(gone), tmp_path)


def test_a_full_disk_is_not_taken_for_a_lack_of_network(offered, tmp_path, monkeypatch):
    monkeypatch.setattr("seg_jax.data.preparation.disk.free_bytes", lambda _: 10)
    with pytest.raises(DiskFullError, match=r"one.v1.zip needs about"):
        fetch(offering(*offered), tmp_path)


def test_archives_in_the_folder_of_the_user_are_unpacked_beside_it(tmp_path):
    manual = tmp_path / "manual"
    write_zip(manual / "one.zip", a="1")
    write_zip(manual / "two.zip", b="2")
    (manual / "notes.txt").write_text("")
    before = files(manual)
    root = unpack_found(offering(), manual, tmp_path / "scratch")
    assert root is not None
    assert files(root) == ["one/a", "two/b"]
    assert files(manual) == before
    assert unpack_found(offering(), manual, tmp_path / "scratch") == root
    write_zip(manual / "two.zip", b="changed")
    again = unpack_found(offering(), manual, tmp_path / "scratch")
    assert again is not None
    assert (again / "two" / "b").read_text() == "changed"


def test_of_many_archives_those_of_the_dataset_are_taken_and_checked(offered, tmp_path):
    manual = tmp_path / "served"
    write_zip(manual / "unrelated.zip", x="0")
    root = unpack_found(offering(*offered), manual, tmp_path / "scratch")
    assert root is not None
    assert files(root) == ["one.v1/a", "two/b", "two/c"]
    write_zip(manual / "two.zip", b="changed")
    with pytest.raises(DataError, match=r"two.zip .*sha256"):
        unpack_found(offering(*offered), manual, tmp_path / "scratch")


def test_no_archives_are_none(tmp_path):
    assert unpack_found(offering(), tmp_path, tmp_path / "scratch") is None


def test_a_file_that_is_no_archive_is_taken_as_it_is(tmp_path):
    served = tmp_path / "served" / "list.txt"
    served.parent.mkdir()
    served.write_text("a\nb\n")
    spec = offering(Archive(served.as_uri(), "list.txt", bytes=4), name="family")
    root = fetch(spec, tmp_path / "downloads")
    assert files(root) == ["list.txt"]
    served.write_text("changed")
    assert (fetch(spec, tmp_path / "downloads") / "list.txt").read_text() == "a\nb\n"
