import multiprocessing
import os
import subprocess
import sys

import pytest

from seg_jax.sweeps.lock import WorkdirBusyError, lock_holder, workdir_lock

HOLD = """
import pathlib, subprocess, sys, time
from seg_jax.sweeps.lock import workdir_lock
with workdir_lock(pathlib.Path(sys.argv[1])):
    script = "import time; time.sleep(60)"
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", script], stdout=subprocess.DEVNULL, close_fds=False
    )
    print(child.pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path, python_env):
    """A process that holds the lock of tmp_path and has a child."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, env=python_env
    )
    child = int(process.stdout.readline())
    yield process
    process.kill()
    process.communicate()
    os.kill(child, 9)


def test_a_second_process_is_told_the_first(tmp_path, holder):
    with (
        pytest.raises(WorkdirBusyError, match=rf"in use by process {holder.pid} on .*--workdir"),
        workdir_lock(tmp_path),
    ):
        pass
    assert lock_holder(tmp_path) == holder.pid


def test_the_lock_dies_with_its_process_though_its_child_lives(tmp_path, holder):
    holder.kill()
    holder.wait()
    assert lock_holder(tmp_path) is None
    with workdir_lock(tmp_path):
        assert lock_holder(tmp_path) == os.getpid()


def test_released_and_taken_again(tmp_path):
    folder = tmp_path / "new" / "folder"
    for _ in range(2):
        with workdir_lock(folder):
            assert lock_holder(folder) == os.getpid()
            with pytest.raises(WorkdirBusyError), workdir_lock(folder):
                pass
        assert lock_holder(folder) is None


def test_an_error_inside_releases_it(tmp_path):
    with pytest.raises(KeyError), workdir_lock(tmp_path):
        raise KeyError
    with workdir_lock(tmp_path):
        pass


def _wait(reached, go):
    reached.set()
    go.wait(30)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*fork:RuntimeWarning")
def test_a_forked_worker_does_not_keep_the_lock(tmp_path):
    fork = multiprocessing.get_context("fork")
    reached, go = fork.Event(), fork.Event()
    with workdir_lock(tmp_path):
        worker = fork.Process(target=_wait, args=(reached, go))
        worker.start()
        assert reached.wait(30)
    with workdir_lock(tmp_path):
        assert worker.is_alive()
    go.set()
    worker.join()


@pytest.mark.parametrize("text", ["", "?", "[]", '{"pid": 2}'])
def test_a_damaged_lock_file_names_nobody(tmp_path, text):
    (tmp_path / ".lock").write_text(text)
    assert lock_holder(tmp_path) is None


def test_a_holder_on_another_host_counts_as_alive(tmp_path):
    (tmp_path / ".lock").write_text('{"pid": 4194305, "host": "elsewhere"}')
    assert lock_holder(tmp_path) == 4194305
