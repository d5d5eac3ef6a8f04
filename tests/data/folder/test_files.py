import os
import shutil

import pytest

from seg_jax.data.folder.description import parse_description
from seg_jax.data.folder.files import changed, find_files

NAMES = ("images/a.jpg", "images/b.jpg", "masks/a.png", "masks/b.png", "notes.txt")


def described(root):
    return parse_description(
        {
            "path": str(root),
            "images": "images/*.jpg",
            "labels": "masks/*.png",
            "classes": ("background", "leaf"),
            "splits": {"train": "list.txt"},
        }
    )


@pytest.fixture
def before(tree):
    """Returns (the folder, its description, its fingerprint)."""
    root = tree(*NAMES, of={"list.txt": "a\nb\n"})
    return root, described(root), find_files(described(root), root).fingerprint()


def test_nothing_changed_where_only_other_files_did(before):
    root, description, fingerprint = before
    assert fingerprint["files"] == "5"
    assert changed(fingerprint, description, root) == ""
    (root / "notes.txt").write_text("more")
    (root / "masks/sub").mkdir()
    assert changed(fingerprint, description, root) == ""


@pytest.mark.parametrize("name", ["images/a.jpg", "masks/b.png", "list.txt"])
def test_content_and_time_count(before, name):
    root, description, fingerprint = before
    status = (root / name).stat()
    os.utime(root / name, ns=(0, status.st_mtime_ns + 1))
    assert "another size or time" in changed(fingerprint, description, root)
    os.utime(root / name, ns=(0, status.st_mtime_ns))
    assert changed(fingerprint, description, root) == ""
    (root / name).write_text("longer than before")
    os.utime(root / name, ns=(0, status.st_mtime_ns))
    assert "another size or time" in changed(fingerprint, description, root)


def test_files_that_come_go_or_are_renamed_count(before):
    root, description, fingerprint = before
    (root / "images/c.jpg").write_text("")
    assert changed(fingerprint, description, root) == "5 files then, 6 now"
    (root / "images/c.jpg").unlink()
    (root / "images/a.jpg").rename(root / "images/c.jpg")
    assert "renamed" in changed(fingerprint, description, root)
    shutil.rmtree(root / "masks")
    assert "matches no file" in changed(fingerprint, description, root)


def test_a_folder_that_is_not_there_says_nothing(before):
    root, description, fingerprint = before
    shutil.rmtree(root)
    assert changed(fingerprint, description, root) == ""
