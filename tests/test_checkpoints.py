"""Checkpoints survive kills, flipped bits, cut files and a full disk, or say that they did not."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.checkpoints import MANIFEST, Checkpointer, CheckpointError

TREE = {"kernel": jnp.arange(4096.0), "empty": {}, "step": jnp.int32(0)}


def at(step):
    return jax.tree.map(lambda x: x + step, TREE)


@pytest.fixture
def folder(tmp_path):
    with Checkpointer(tmp_path / "checkpoints") as checkpointer:
        for step in (1, 2, 3):
            checkpointer.save(step, at(step))
    return tmp_path / "checkpoints"


def restored(folder):
    with Checkpointer(folder) as checkpointer:
        tree = checkpointer.restore(TREE)
    return None if tree is None else int(tree["step"])


def largest_file(step):
    files = [path for path in step.rglob("*") if path.is_file() and path.name != MANIFEST]
    return max(files, key=lambda path: path.stat().st_size)


def test_the_newest_is_restored_bit_for_bit_and_old_ones_go(folder):
    with Checkpointer(folder) as checkpointer:
        tree = checkpointer.restore(TREE)
    jax.tree.map(np.testing.assert_array_equal, tree, at(3))
    assert sorted(path.name for path in folder.iterdir()) == ["2", "3"]


def test_an_empty_folder_restores_nothing(tmp_path):
    assert restored(tmp_path / "none") is None


def flip(step):
    path = largest_file(step)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(step):
    os.truncate(largest_file(step), 10)


def delete(step):
    largest_file(step).unlink()


def no_manifest(step):
    (step / MANIFEST).unlink()


@pytest.mark.parametrize("damage", [flip, truncate, delete, no_manifest])
def test_damage_falls_back_to_the_newest_whole_step_which_can_be_saved_again(folder, damage):
    damage(folder / "3")
    assert restored(folder) == 2
    with Checkpointer(folder) as checkpointer:
        checkpointer.save(3, at(3))
    assert restored(folder) == 3


def test_everything_damaged_is_a_fresh_start_with_the_evidence_kept(folder):
    flip(folder / "2")
    flip(folder / "3")
    assert restored(folder) is None
    assert sorted(path.name for path in folder.iterdir()) == ["2.damaged-1", "3.damaged-1"]


def test_another_network_is_refused_in_one_sentence(folder):
    with (
        Checkpointer(folder) as checkpointer,
        pytest.raises(CheckpointError, match=r"another network or optimiser.*--workdir"),
    ):
        checkpointer.restore({"kernel": jnp.zeros(3)})


WRITER = textwrap.dedent(
    """
    import resource
    import signal
    import sys
    import numpy as np
    from seg_jax.checkpoints import Checkpointer
    if sys.argv[3:]:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
    with Checkpointer(sys.argv[1]) as checkpointer:
        for step in range(int(sys.argv[2]), 100):
            checkpointer.save(step, {"kernel": np.random.RandomState(step).rand(50_000)})
            print(step, flush=True)
    """
)
EMPTY = {"kernel": np.zeros(50_000)}


def content(step):
    return np.random.RandomState(step).rand(50_000)


@pytest.fixture
def start_writer(python_env):
    """Returns a function (arguments) -> a process that saves one checkpoint after the other."""

    def start(*arguments):
        return subprocess.Popen(
            [sys.executable, "-c", WRITER, *map(str, arguments)],
            env=python_env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def test_killed_at_any_moment_leaves_a_whole_step(tmp_path, start_writer):
    folder, first = tmp_path / "checkpoints", 1
    for delay in (0.0, 0.013, 0.031):
        writer = start_writer(folder, first)
        for line in writer.stdout:
            if int(line) >= first + 3:
                break
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        with Checkpointer(folder) as checkpointer:
            kernel = checkpointer.restore(EMPTY)["kernel"]
        newest = max(int(path.name) for path in folder.iterdir() if path.name.isdigit())
        np.testing.assert_array_equal(kernel, content(newest))
        assert newest >= first + 2
        first = newest + 1


def test_a_full_disk_is_one_sentence_and_keeps_the_earlier_steps(tmp_path, start_writer):
    folder = tmp_path / "checkpoints"
    with Checkpointer(folder) as checkpointer:
        checkpointer.save(0, {"kernel": content(0)})

    largest_file_allowed = 8192
    writer = start_writer(folder, 1, largest_file_allowed)
    _, errors = writer.communicate(timeout=120)
    assert writer.returncode == 1
    assert "CheckpointError: A checkpoint could not be written" in errors
    assert "Free some space" in errors
    assert "continues from step 0" in errors
    with Checkpointer(folder) as checkpointer:
        np.testing.assert_array_equal(checkpointer.restore(EMPTY)["kernel"], content(0))
