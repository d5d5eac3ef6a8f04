"""Worker processes: the same stream, one sentence when one is killed, none left behind."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import traceback

import numpy as np
import psutil
import pytest

from seg_jax.data.augment import Augmentation
from seg_jax.data.derive import SubsetSource, TrimapSource, UnionSource
from seg_jax.data.pipeline.train import train_batches
from seg_jax.data.pipeline.workers import explain
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.scenes.builder import SceneSource
from seg_jax.data.source import open_source
from seg_jax.data.validate import DataError, Origin
from seg_jax.data.views import CachedSource, ResizedSource

CROP = Augmentation((32, 32), (0.5, 2.0))


def spoiled(*bad):
    """Scenes of which some cannot be read; of a local class, which is pickled with its code."""

    class Spoiled(SceneSource):
        def __getitem__(self, index):
            if index in bad:
                raise Origin("scenes", "train", f"n{index}").fault("image", "is bad.")
            example = super().__getitem__(index)
            return {**example, "border": example["label"] / np.float32(7)}

    return Spoiled("train", 6)


def assert_meant_for_the_user(error):
    # launch.py shows the sentence alone where the last frame is one of ours, else the trace.
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    assert frame.f_globals["__name__"].startswith("seg_jax.")


def test_workers_make_the_same_stream_until_one_is_killed(assert_same, take):
    options = {"batch_size": 4, "seed": 3, "start_step": 1, "max_bad_examples": 2}
    alone = train_batches(spoiled(1, 4), CROP, num_threads=0, **options)
    expected = take(alone, 5)
    stream = train_batches(spoiled(1, 4), CROP, num_workers=2, **options)
    assert "border" in expected[0]
    assert_same([next(stream) for _ in expected], expected)
    assert stream.skipped == alone.skipped
    assert sorted(stream.skipped) == [1, 4]
    workers = multiprocessing.active_children()
    assert len(workers) == 2
    os.kill(workers[0].pid, signal.SIGKILL)
    with pytest.raises(RuntimeError, match=r"killed by SIGKILL.*config\.dataset\.num_wor") as info:
        take(stream, 100)
    assert_meant_for_the_user(info.value)
    assert not multiprocessing.active_children()


def test_a_bad_example_in_a_worker_is_a_sentence_and_closing_ends_the_worker():
    stream = train_batches(spoiled(0, 1, 2, 3, 4, 5), CROP, batch_size=2, seed=0, num_workers=1)
    with pytest.raises(DataError, match=r"^The image of example 'n\d' of scenes") as info:
        next(stream)
    assert_meant_for_the_user(info.value)
    assert not multiprocessing.active_children()
    stream = train_batches(spoiled(), CROP, batch_size=2, seed=0, num_workers=1)
    next(stream)
    assert len(multiprocessing.active_children()) == 1
    stream.close()
    assert not multiprocessing.active_children()


DRIVER = """
import multiprocessing, time
from seg_jax.data.augment import Augmentation
from seg_jax.data.pipeline.train import train_batches
from seg_jax.data.source import open_source

source = open_source("scenes", "train")
stream = train_batches(source, Augmentation((8, 8)), batch_size=1, seed=0, num_workers=1)
next(stream)
print(*(process.pid for process in multiprocessing.active_children()), flush=True)
input()
for _ in range(50):
    next(stream)
print("still here", flush=True)
time.sleep(600)
"""


def test_workers_end_with_a_killed_parent_but_not_by_ctrl_c(python_env, wait_until):
    command = [sys.executable, "-c", DRIVER]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=python_env, text=True, **pipes) as driver:
        worker = psutil.Process(int(driver.stdout.readline()))
        worker.send_signal(signal.SIGINT)
        driver.stdin.write("\n")
        driver.stdin.flush()
        assert driver.stdout.readline() == "still here\n"
        driver.kill()
    wait_until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)


def test_only_the_death_of_a_worker_is_explained():
    assert explain(RuntimeError("out of luck")) is None
    died = RuntimeError("Worker process was terminated unexpectedly with exit code 3. Search.")
    assert "ended with code 3" in str(explain(died))


def test_every_kind_of_source_can_be_sent_to_a_worker(camvid_tree, tmp_path):
    prepare("camvid", data_dir=tmp_path, manual_dir=camvid_tree(train=3, val=2))
    train, val = (open_source("camvid", split, data_dir=tmp_path) for split in ("train", "val"))
    sources = [
        train,
        CachedSource(ResizedSource(train, (6, 8))),
        UnionSource([train, val]),
        SubsetSource(train, [2, 0]),
        TrimapSource(train, width=1),
        open_source("scenes", "size_24"),
    ]
    for source in sources:
        sent = pickle.loads(pickle.dumps(source))
        assert (len(sent), sent.size(1)) == (len(source), source.size(1))
        assert sent.checksum == source.checksum
        np.testing.assert_array_equal(sent[1]["image"], source[1]["image"])
        np.testing.assert_array_equal(sent[1]["label"], source[1]["label"])
