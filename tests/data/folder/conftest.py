"""A folder of empty files, and what the dataset `folder` lists in it."""

import pytest

from seg_jax.data.folder.description import parse_description
from seg_jax.data.folder.files import find_files
from seg_jax.data.folder.listing import list_items

BASE = {"images": "images/*.jpg", "labels": "masks/*.png", "classes": ("background", "leaf")}


@pytest.fixture
def tree(tmp_path):
    """Returns a function (names of files, or name=content) -> the folder that holds them."""

    def make(*names, **contents):
        root = tmp_path / "tree"
        root.mkdir(exist_ok=True)
        for name, text in [*((name, "") for name in names), *contents.get("of", {}).items()]:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return root

    return make


@pytest.fixture
def listed():
    """Returns a function (folder, fields of the section) -> {split: items}."""

    def run(root, **fields):
        description = parse_description({"path": str(root), **BASE, **fields})
        return list_items(description, find_files(description, root), root)

    return run
