import dataclasses
import functools
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from seg_jax.cores import count_cores
from seg_jax.data.datasets import camvid
from seg_jax.data.preparation import pool
from seg_jax.data.preparation.pool import choose_jobs, write_shards
from seg_jax.data.preparation.shards import make_shards

KILLED = "train_5"


def read_or_die(item, origin, folder):
    if item.id == KILLED:
        while len(list(folder.glob("*.json"))) < 2:  # the shards before are done
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGKILL)
    return camvid.read(item, origin)


def read_and_sleep(item, origin, told):
    told.with_name(f"{told.name}.{os.getpid()}").touch()
    time.sleep(0.2)
    return camvid.read(item, origin)


@pytest.fixture
def shards_of(camvid_tree, tmp_path, monkeypatch):
    """Returns a function (reader, count) -> one shard for every two examples of a split."""

    def make(reader, count):
        monkeypatch.setattr("seg_jax.data.preparation.shards.SHARD_BYTES", 2000)
        root = camvid_tree(train=count)
        builder = camvid.CamVid(data_dir=tmp_path / "data")
        folder = tmp_path / "shards"
        folder.mkdir()
        items = builder.list_items(root)
        shards, _ = make_shards(camvid.SPEC, "1.0.0", items, reader, builder.info.features, folder)
        assert len(shards) == count // 2
        return shards

    return make


def test_few_pictures_are_converted_in_this_process_and_many_in_several():
    assert choose_jobs(None, pool.WORTHWHILE - 1) == 1
    assert choose_jobs(None, pool.WORTHWHILE) == count_cores() >= 1
    assert choose_jobs(3, 1) == 3
    with pytest.raises(ValueError, match=r"--jobs=0 must be at least 1"):
        choose_jobs(0, 1)


def test_a_killed_process_is_named_and_costs_its_shard_alone(shards_of, tmp_path):
    shards = shards_of(functools.partial(read_or_die, folder=tmp_path / "shards"), 6)
    with pytest.raises(RuntimeError, match=r"killed, .* want of memory.*--jobs=1"):
        list(write_shards(shards, 2))
    files = [shard.file for shard in shards]
    assert [file.exists() for file in files[:3]] == [True, True, False]
    by_another_process = files[0].read_bytes()
    whole = [dataclasses.replace(shard, reader=camvid.read) for shard in shards]
    assert sum(outcome.num_examples for outcome in write_shards(whole, 1)) == 6
    assert files[0].read_bytes() == by_another_process


def test_processes_stop_amid_a_shard_when_nobody_wants_more(shards_of, tmp_path):
    first, *others = shards_of(functools.partial(read_and_sleep, told=tmp_path / "read"), 8)
    long = [dataclasses.replace(shard, items=shard.items * 20) for shard in others]
    outcomes = write_shards([first, *long], 2)
    assert next(outcomes) == ("train", 2, ())
    outcomes.close()
    assert [shard.file.exists() for shard in (first, *long)] == [True, False, False, False]
    assert not list((tmp_path / "shards").glob("incomplete*"))


ORPHANS = """
import functools, pathlib, sys
sys.path.insert(0, sys.argv[1])
from seg_jax.data.preparation import shards
shards.SHARD_BYTES = 2000
import test_pool
from seg_jax.data.datasets import camvid
from seg_jax.cores import count_cores
from seg_jax.data.preparation.pool import write_shards
if __name__ == "__main__":
    root = pathlib.Path(sys.argv[2])
    builder = camvid.CamVid(data_dir=root / "data")
    reader = functools.partial(test_pool.read_and_sleep, told=root / "read")
    items = builder.list_items(root / "published")
    made, _ = shards.make_shards(
        camvid.SPEC, "1.0.0", items, reader, builder.info.features, root
    )
    list(write_shards(made, 2))
"""


def test_processes_end_with_a_parent_that_is_killed(camvid_tree, tmp_path, python_env, wait_until):
    camvid_tree(train=60)
    script = tmp_path / "script.py"
    script.write_text(ORPHANS)
    command = [sys.executable, str(script), os.path.dirname(__file__), str(tmp_path)]
    with subprocess.Popen(command, env=python_env) as parent:
        wait_until(lambda: len(list(tmp_path.glob("read.*"))) == 2)
        workers = [int(path.suffix[1:]) for path in tmp_path.glob("read.*")]
        assert all(psutil.pid_exists(pid) for pid in workers)
        parent.kill()
    wait_until(lambda: not any(_runs(pid) for pid in workers))


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
