"""Every way in which a file can differ from what was written is seen, and the file named."""

import hashlib
import json
import os

import pytest

from seg_jax.checkpoints.manifest import MANIFEST, find_fault, write_manifest


@pytest.fixture
def step(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "data").write_bytes(b"0123456789")
    (tmp_path / "meta").write_bytes(b"{}")
    write_manifest(tmp_path)
    return tmp_path


def test_every_file_is_named_with_its_sha256(step):
    manifest = json.loads((step / MANIFEST).read_text())
    assert len(manifest.pop(MANIFEST)) == 64
    assert manifest == {
        "d/data": hashlib.sha256(b"0123456789").hexdigest(),
        "meta": hashlib.sha256(b"{}").hexdigest(),
    }
    assert find_fault(step) is None


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def make_a_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "name", "fault"),
    [
        (flip, "d/data", "d/data is not what was written"),
        (flip, "meta", "meta is not what was written"),
        (lambda path: os.truncate(path, 4), "d/data", "d/data is not what was written"),
        (lambda path: os.truncate(path, 0), "meta", "meta is not what was written"),
        (os.unlink, "d/data", "d/data is missing"),
        (make_a_folder, "d/data", "d/data cannot be read (Is a directory)"),
        (os.unlink, MANIFEST, f"{MANIFEST} is missing"),
        (lambda path: os.truncate(path, 40), MANIFEST, f"{MANIFEST} is not readable"),
        (lambda path: os.truncate(path, 0), MANIFEST, f"{MANIFEST} is not readable"),
        (lambda path: path.write_text("[]"), MANIFEST, f"{MANIFEST} is not readable"),
        (lambda path: path.write_text("{}"), MANIFEST, f"{MANIFEST} names no file"),
    ],
)
def test_the_bad_file_and_its_fault_are_named(step, damage, name, fault):
    damage(step / name)
    assert find_fault(step) == fault


def test_no_bit_of_a_manifest_can_change_unseen(step):
    whole = (step / MANIFEST).read_bytes()
    for position in range(len(whole)):
        for bit in range(8):
            data = bytearray(whole)
            data[position] ^= 1 << bit
            (step / MANIFEST).write_bytes(data)
            # In the last line, the name of its own entry can be lost.
            assert MANIFEST in find_fault(step) or b"sha256.json" not in data, (position, bit)


def test_what_others_leave_behind_is_of_no_account(step):
    (step / ".DS_Store").write_bytes(b"x")
    (step / f".{MANIFEST}.17.tmp").write_bytes(b"half")
    assert find_fault(step) is None
