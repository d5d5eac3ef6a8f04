import os
import subprocess
import sys

import pytest

from seg_jax.data.preparation.lock import BusyError, exclusive

HOLD = """
import pathlib, sys, time
from seg_jax.data.preparation.lock import exclusive
with exclusive(pathlib.Path(sys.argv[1]), "It is held"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_lock_is_one_processes_and_dies_with_it(tmp_path, python_env):
    path = tmp_path / "new" / "it.lock"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=python_env) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(BusyError, match=rf"It is held by process {holder.pid}\. Wait"),
            exclusive(path, "It is held"),
        ):
            pass
        holder.kill()
    with exclusive(path, "It is held"):
        assert path.read_text() == str(os.getpid())
    assert list(path.parent.iterdir()) == []


def test_it_is_let_go_of_whatever_happens(tmp_path):
    path = tmp_path / "it.lock"
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), exclusive(path, "It is held"):
            raise KeyboardInterrupt
    assert not path.exists()


def test_a_file_that_its_holder_removes_meanwhile_is_no_lock(tmp_path, monkeypatch):
    path = tmp_path / "it.lock"
    opened = os.open

    def open_then_lose(*args):
        descriptor = opened(*args)
        path.unlink()
        return descriptor

    monkeypatch.setattr(os, "open", open_then_lose)
    with pytest.raises(BusyError, match="by another process"), exclusive(path, "It is held"):
        pass
