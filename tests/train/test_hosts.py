"""Two processes with two devices each train as one process with four does."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from seg_jax.train import hosts

SCRIPT = Path(__file__).with_name("one_of_several.py")
TIMEOUT_S = 240


@pytest.fixture
def start(python_env):
    """Starts the processes of a run; those that still live at the end are killed."""
    with contextlib.ExitStack() as stack:

        def start(what, *, processes, devices, backend="shard_map"):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            started = []
            for process in range(processes):
                arguments = [what, port, process, processes, devices, backend]
                child = subprocess.Popen(
                    [sys.executable, SCRIPT, *map(str, arguments)],
                    env=python_env,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
                stack.callback(end, child)
                started.append(child)
            return started

        yield start


def end(child):
    if child.poll() is None:
        child.kill()
    child.communicate()


def said(child):
    """Returns what a process printed; its end must be a good one."""
    output, errors = child.communicate(timeout=TIMEOUT_S)
    assert child.returncode == 0, errors[-3000:]
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("backend", ["shard_map", "mesh"])
def test_two_processes_train_and_evaluate_as_one(start, backend):
    children = [
        *start("train", processes=1, devices=4, backend=backend),
        *start("train", processes=2, devices=2, backend=backend),
    ]
    (one,), *two = map(said, children)
    for number, (process,) in enumerate(two):
        np.testing.assert_allclose(process["losses"], one["losses"], rtol=1e-6)
        for path, values in process["params"].items():
            np.testing.assert_allclose(values, one["params"][path], atol=1e-6, err_msg=path)
        for name in ("hits", "map", "total"):
            assert process[name] == one[name]
        assert process["first"] == one["first"][4 * number : 4 * number + 4]
        assert process["large"] == 3 * 2**40
        assert process["ragged"] == [[0.1, 0.1], [1.1, 1.1], [1.1, 1.1]]
        assert process["main"] == (number == 0)
    assert two[0][0]["params"] == two[1][0]["params"]
    assert one["losses"][2] != one["losses"][0]


def test_all_stop_at_one_step_when_one_is_asked_to(start):
    children = start("stop", processes=2, devices=1)
    for child in children:
        for line in child.stdout:  # past what the runtime says of itself
            if "ready" in line:
                break
    children[1].send_signal(signal.SIGTERM)
    first, second = (said(child)[-1] for child in children)
    assert first["stopped_at"] == second["stopped_at"]
    assert (first["asked"], second["asked"]) == (False, True)


def test_processes_that_were_told_different_things_all_refuse(start):
    for number, child in enumerate(start("mismatch", processes=2, devices=1)):
        config, pmap = (line["error"] for line in said(child))
        assert f"the config of process {number} is not that of process {1 - number}" in config
        assert "'pmap' runs in one process, and this run has 2. Set it to 'shard_map'" in pmap


def test_a_single_process_is_all_of_them():
    rows = np.arange(6).reshape(3, 2)
    np.testing.assert_array_equal(hosts.gather(rows), rows)
    assert [hosts.any_host(flag) for flag in (False, True)] == [False, True]
    assert hosts.is_main()
    hosts.check_same("text", what="the config")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"coordinator": "10.0.0.1:8476"}, "needs all of --coordinator"),
        ({"num_processes": 2, "process_id": 0}, "needs all of --coordinator"),
        (
            {"coordinator": "10.0.0.1", "num_processes": 2, "process_id": 0},
            "=10.0.0.1 is not HOST:PORT",
        ),
        (
            {"coordinator": "10.0.0.1:8476", "num_processes": 2, "process_id": 2},
            "--process_id=2 is not one of the 2 processes",
        ),
    ],
)
def test_half_a_description_of_the_processes_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        hosts.initialise(**arguments)


def test_without_a_cluster_around_it_a_process_says_what_to_give(monkeypatch):
    def initialize(*_, **__):
        raise ValueError("coordinator_address should be defined.")

    monkeypatch.setattr(jax.distributed, "initialize", initialize)
    with pytest.raises(RuntimeError, match=r"no cluster .*--coordinator=HOST:PORT"):
        hosts.initialise()
