"""A small tree, a folder with three steps of it, and what to do to the files of a step."""

import jax
import jax.numpy as jnp
import pytest

from seg_jax.checkpoints import MANIFEST, Checkpointer

TREE = {"kernel": jnp.arange(4096.0), "empty": {}, "step": jnp.int32(0)}


@pytest.fixture
def tree():
    """Returns a function (step) -> the tree of that step; of step 0 without an argument."""
    return lambda step=0: jax.tree.map(lambda x: x + step, TREE)


@pytest.fixture
def folder(tmp_path, tree):
    """A folder in which steps 2 and 3 are left of three."""
    with Checkpointer(tmp_path / "checkpoints") as checkpointer:
        for step in (1, 2, 3):
            checkpointer.save(step, tree(step))
    return tmp_path / "checkpoints"


@pytest.fixture
def restored(tree):
    """Returns a function (folder, step=None) -> the step that a new process would restore."""

    def restore(folder, step=None):
        with Checkpointer(folder) as checkpointer:
            found = checkpointer.restore(tree(), step)
        return None if found is None else int(found["step"])

    return restore


@pytest.fixture
def largest():
    """Returns a function (folder of a step) -> its largest file."""

    def find(step):
        files = [path for path in step.rglob("*") if path.is_file() and path.name != MANIFEST]
        return max(files, key=lambda path: path.stat().st_size)

    return find


@pytest.fixture
def names():
    """Returns a function (folder) -> the names in it."""
    return lambda folder: sorted(path.name for path in folder.iterdir())
