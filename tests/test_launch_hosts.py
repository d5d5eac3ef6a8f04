"""Two real processes train one trial, each reading its share, and get what one process gets."""

import json
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from seg_jax.evaluate.records import read_records
from seg_jax.logs import read_metrics

ROOT = Path(__file__).parents[1]

EXPERIMENT = textwrap.dedent(
    """
    from seg_jax.config import base_config

    def get_config():
        config = base_config()
        config.dataset.eval_split = "size_6"
        config.augment.crop_size = (32, 32)
        config.augment.color_jitter = 0.2
        config.model = {"name": "unet", "base_features": 4, "depth": 1}
        config.model.bottom_dropout_rate = 0.3
        config.loss.terms = {"cross_entropy": {}, "dice": {}}
        config.train.num_steps = 30
        config.train.batch_size = 4
        config.train.ema_decay = 0.5
        config.train.log_every = 5
        config.train.checkpoint_every = 10
        config.evaluate.batch_size = 6
        config.evaluate.every = 10
        config.evaluate.probes = False
        config.evaluate.metrics = ("calibration",)
        config.parallel.backend = "shard_map"
        return config
    """
)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def start(tmp_path, python_env):
    """Starts the two processes of a trial; whatever still runs at the end is killed."""
    (tmp_path / "experiment.py").write_text(EXPERIMENT)
    running = []

    def start(workdir, *options, processes=2):
        command = [sys.executable, str(ROOT / "launch.py"), "train", "--config=experiment.py"]
        port, found = free_port(), []
        for process in range(processes):
            several = [f"--coordinator=127.0.0.1:{port}", f"--num_processes={processes}"]
            several = [*several, f"--process_id={process}"] if processes > 1 else []
            found.append(
                subprocess.Popen(
                    [*command, f"--workdir={workdir}", *several, *options],
                    cwd=tmp_path,
                    env={**python_env, "JAX_PLATFORMS": "cpu"},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        running.extend(found)
        return found

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def finish(processes):
    found = []
    for process in processes:
        out, err = process.communicate(timeout=300)
        found.append((process.returncode, out, err))
    return found


def wait_for(condition):
    """Polls a condition for as long as two processes may take to compile."""
    deadline = time.monotonic() + 200
    while not condition():
        assert time.monotonic() < deadline, "The condition was never met."
        time.sleep(0.1)


def losses(folder):
    return {
        row["step"]: row["loss"] for row in read_metrics(folder / "metrics.jsonl") if "loss" in row
    }


def test_two_processes_train_and_evaluate_as_one(start, tmp_path):
    for workdir, processes in (("two", 2), ("one", 1)):
        for code, _, err in finish(start(workdir, processes=processes)):
            assert code == 0, err
    two, one = tmp_path / "two", tmp_path / "one"
    found, expected = losses(two), losses(one)
    assert found.keys() == expected.keys() == {1, 5, 10, 15, 20, 25, 30}
    np.testing.assert_allclose([*found.values()], [*expected.values()], rtol=2e-4)
    results = [json.loads((folder / "result.json").read_text()) for folder in (two, one)]
    assert results[0]["hardware"]["num_processes"] == 2
    assert results[0]["num_eval_images"] == results[1]["num_eval_images"]
    records = [read_records(folder / "per_image.npz") for folder in (two, one)]
    assert records[0].ids == records[1].ids
    pixels = [found.counters["confusion"].sum(axis=(1, 2)) for found in records]
    np.testing.assert_array_equal(*pixels)
    confusions = [np.array(result["confusion"], float) for result in results]
    assert np.abs(confusions[0] - confusions[1]).sum() < 0.02 * confusions[1].sum()


def test_a_signal_to_one_process_stops_both_and_they_resume(start, tmp_path):
    folder = tmp_path / "stopped"
    first = start("stopped", "--config.train.num_steps=100000")
    wait_for(lambda: losses(folder) and max(losses(folder)) >= 10)
    time.sleep(0.2)
    first[1].send_signal(signal.SIGTERM)
    outcomes = finish(first)
    assert [code for code, *_ in outcomes] == [143, 143]
    stopped = {err.split("Stopped at step ")[1].split()[0] for _, _, err in outcomes}
    assert len(stopped) == 1
    again = start("stopped", "--config.train.num_steps=100000")
    wait_for(lambda: max(losses(folder)) > int(next(iter(stopped))))
    for process in again:
        process.send_signal(signal.SIGTERM)
    assert [code for code, *_ in finish(again)] == [143, 143]


def test_half_of_what_says_who_a_process_is_is_refused(start):
    code, _, err = finish(start("half", "--process_id=0", processes=1))[0]
    assert code == 2
    assert "needs all of --coordinator=HOST:PORT" in err
