import io
import random
import tarfile
import zipfile

import pytest

from seg_jax.data.preparation import archive as module
from seg_jax.data.preparation.archive import is_archive, stem_of, unpack
from seg_jax.data.preparation.disk import DiskFullError
from seg_jax.data.validate import DataError


def write_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def write_tar(path, members, mode="w"):
    """Members are texts, or TarInfos for what is no file."""
    with tarfile.open(path, mode) as archive:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(text, dict):
                for key, value in text.items():
                    setattr(info, key, value)
                archive.addfile(info)
            else:
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text.encode()))
    return path


WRITERS = {
    ".zip": write_zip,
    ".tar": write_tar,
    ".tar.gz": lambda path, members: write_tar(path, members, "w:gz"),
    ".tgz": lambda path, members: write_tar(path, members, "w:gz"),
    ".tar.bz2": lambda path, members: write_tar(path, members, "w:bz2"),
    ".tar.xz": lambda path, members: write_tar(path, members, "w:xz"),
}


@pytest.fixture(params=WRITERS)
def write(request, tmp_path):
    """Returns a function (members) -> an archive of one kind."""
    return lambda members: WRITERS[request.param](tmp_path / f"a{request.param}", members)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out" / "a"


def test_an_archive_is_unpacked_once(write, out):
    archive = write({"top/one.txt": "1", "top/sub/two.txt": "2"})
    assert is_archive(archive)
    folder = unpack(archive, out)
    assert (folder / "top" / "sub" / "two.txt").read_text() == "2"
    assert [path.name for path in out.parent.iterdir()] == ["a"]
    archive.unlink()
    assert unpack(archive, folder) == folder


@pytest.mark.parametrize("name", ["../escaped.txt", "top/../../escaped.txt", "/tmp/escaped.txt"])
def test_a_member_that_would_leave_the_folder_is_refused(write, out, tmp_path, name):
    archive = write({"top/one.txt": "1", name: "x"})
    with pytest.raises(DataError, match=r"a\.\S+ holds '.*escaped.txt', .*written outside"):
        unpack(archive, out)
    assert list(out.parent.iterdir()) == []
    assert not list(tmp_path.rglob("escaped.txt"))


@pytest.mark.parametrize(
    "member",
    [
        {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"},
        {"type": tarfile.SYMTYPE, "linkname": "../../.."},
        {"type": tarfile.LNKTYPE, "linkname": "../../secret"},
        {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5},
        {"type": tarfile.FIFOTYPE},
    ],
)
def test_links_that_leave_the_folder_and_devices_are_refused(tmp_path, out, member):
    (tmp_path / "secret").write_text("not yours")
    archive = write_tar(tmp_path / "a.tar", {"one.txt": "1", "member": member})
    with pytest.raises(DataError, match=r"holds 'member', .*fetch it from its publisher"):
        unpack(archive, out)
    assert list(out.parent.iterdir()) == []


def test_a_link_of_a_zip_is_a_small_file(tmp_path, out):
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    assert (unpack(tmp_path / "a.zip", out) / "link").is_symlink() is False


def test_a_damaged_archive_leaves_nothing_behind(write, out):
    rng = random.Random(0)
    archive = write({f"{i}.txt": rng.randbytes(500).hex() for i in range(20)})
    data = bytearray(archive.read_bytes())
    archive.write_bytes(data[: len(data) // 5])
    with pytest.raises(DataError, match=r"a\.\S+ is damaged .* fetch it again"):
        unpack(archive, out)
    assert list(out.parent.iterdir()) == []


@pytest.mark.parametrize("kind", [".zip", ".tar.gz", ".tar.bz2", ".tar.xz"])
@pytest.mark.parametrize("place", [0.0, 0.1, 0.3, 0.5, 0.7])
def test_flipped_bits_are_found_wherever_there_are_checksums(tmp_path, out, kind, place):
    rng = random.Random(0)
    members = {f"{i}.txt": rng.randbytes(500).hex() for i in range(20)}
    archive = WRITERS[kind](tmp_path / f"a{kind}", members)
    data = bytearray(archive.read_bytes())
    first = 20 + int(place * len(data))
    data[first : first + 30] = bytes(byte ^ 255 for byte in data[first : first + 30])
    archive.write_bytes(data)
    with pytest.raises(DataError, match=r"a\.\S+ is damaged"):
        unpack(archive, out)
    assert list(out.parent.iterdir()) == []


@pytest.mark.parametrize("blocks", [5, 6, 7, 8])
def test_a_tar_that_was_cut_off_between_two_members_is_damaged(tmp_path, out, blocks):
    archive = write_tar(tmp_path / "a.tar", {f"{i}.txt": "x" * 500 for i in range(9)})
    archive.write_bytes(archive.read_bytes()[: 512 * blocks + 100 * (blocks == 8)])
    with pytest.raises(DataError, match="is damaged"):
        unpack(archive, out)


def test_an_encrypted_archive_says_so(tmp_path, out):
    archive = write_zip(tmp_path / "a.zip", {"one.txt": "1"})
    data = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    archive.write_bytes(data)
    with pytest.raises(DataError, match="is encrypted"):
        unpack(archive, out)


@pytest.mark.parametrize("kind", [".zip", ".tar.gz"])
def test_a_bomb_is_stopped_before_it_is_unpacked(tmp_path, out, monkeypatch, kind):
    monkeypatch.setattr(module, "HARMLESS", 100_000)
    members = {f"{i}.txt": "0" * 90_000 for i in range(20)}
    archive = WRITERS[kind](tmp_path / f"a{kind}", members)
    monkeypatch.setattr(module, "MAX_RATIO", 40)
    with pytest.raises(DataError, match=r"becomes more than 0\.\d MB, which no set of pictures"):
        unpack(archive, out)
    assert list(out.parent.iterdir()) == []
    monkeypatch.setattr(module, "MAX_RATIO", 1000)
    assert len(list(unpack(archive, out).iterdir())) == 20


def test_an_archive_larger_than_the_disk_is_refused(write, out, monkeypatch):
    monkeypatch.setattr(module, "free_bytes", lambda _: 1500)
    archive = write({"one.txt": "1" * 1000, "two.txt": "2" * 1000})
    with pytest.raises(DiskFullError, match=r"takes more than the 0.0 MB that are free.*out/a"):
        unpack(archive, out)
    assert list(out.parent.iterdir()) == []


def test_what_a_killed_call_left_is_not_taken_for_the_archive(write, out):
    left = out.with_name("incomplete.a")
    left.mkdir(parents=True)
    (left / "half.txt").write_text("half")
    unpack(write({"one.txt": "1"}), out)
    assert [path.name for path in out.iterdir()] == ["one.txt"]
    assert not left.exists()


def test_endings():
    names = ["a.v1.tar.gz", "a.tgz", "A.ZIP", "VOC_11-May-2012.tar", "a"]
    assert [stem_of(name) for name in names] == ["a.v1", "a", "A", "VOC_11-May-2012", "a"]
