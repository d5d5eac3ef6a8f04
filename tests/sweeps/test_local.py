import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seg_jax.cores import usable_cores
from seg_jax.sweeps.local import run_trials
from seg_jax.sweeps.plan import config_uid
from seg_jax.sweeps.slots import Slot
from seg_jax.sweeps.status import Status, read_status, write_status

DRIVER = str(Path(__file__).with_name("drive_sweep.py"))
FOR_EVER = 10**6


@pytest.fixture
def run(tmp_path, command):
    """Runs trials in tmp_path and returns their statuses by label."""

    def run_(trials, num_slots=1, slots=None, **options):
        defaults = {"max_attempts": 1, "timeout_seconds": None, "grace_seconds": 20.0}
        results = run_trials(
            trials,
            tmp_path,
            command=command,
            slots=slots or [Slot()] * num_slots,
            **{**defaults, **options},
        )
        assert [trial for trial, _ in results] == list(trials)
        return {trial.label: status for trial, status in results}

    return run_


@pytest.fixture
def drive(tmp_path, python_env):
    """Starts a sweep of the given configs in a process of its own; kills it at the end."""
    started = []

    def drive_(*configs, num_slots=1, grace_seconds=20.0):
        arguments = [str(tmp_path), str(num_slots), str(grace_seconds), *map(json.dumps, configs)]
        process = subprocess.Popen(
            [sys.executable, DRIVER, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=python_env,
        )
        started.append(process)
        return process

    yield drive_
    for process in started:
        process.kill()
        process.communicate()


def attempts(folder: Path) -> int:
    path = folder / "attempts"
    return len(path.read_text().split()) if path.exists() else 0


def test_as_many_run_at_a_time_as_there_are_slots(tmp_path, run, make_trial):
    trials = [make_trial(str(i), do="meet", number=2) for i in range(4)]
    statuses = run(trials, num_slots=2)
    assert {status.state for status in statuses.values()} == {"done"}
    seen = [json.loads((tmp_path / t.uid / "seen").read_text())["seen"] for t in trials]
    assert max(seen) == 2


def test_a_failing_trial_does_not_stop_the_others(tmp_path, run, make_trial):
    trials = [
        make_trial("crash", do="crash", times=9),
        make_trial("kill", do="kill"),
        make_trial("nothing", do="nothing"),
        make_trial("say", do="say"),
        make_trial("good", do="finish"),
    ]
    statuses = run(trials)
    assert statuses["good"].state == "done"
    assert statuses["good"].step == 10
    assert {n: s.error for n, s in statuses.items() if s.state == "failed"} == {
        "crash": "ValueError: crash number 1",
        "kill": "killed by signal 9 (SIGKILL), perhaps for lack of memory",
        "nothing": "exited with code 0 but wrote no result.json",
        "say": "in my own words",
    }
    assert read_status(tmp_path / trials[0].uid).state == "failed"
    assert json.loads((tmp_path / trials[0].uid / "config.json").read_text()) == trials[0].config


def test_retries_are_bounded(tmp_path, run, make_trial):
    trials = [
        make_trial("recovers", do="crash", times=2),
        make_trial("never", do="crash", times=9),
        make_trial("refused", do="refuse"),
    ]
    statuses = run(trials, max_attempts=3)
    assert (statuses["recovers"].state, statuses["recovers"].error) == ("done", "")
    assert (statuses["never"].state, statuses["never"].attempt) == ("failed", 3)
    assert statuses["never"].error == "ValueError: crash number 3"
    assert statuses["refused"].error == "ConfigError: no such network"
    assert [attempts(tmp_path / trial.uid) for trial in trials] == [3, 3, 1]
    log = (tmp_path / trials[1].uid / "log.txt").read_text()
    assert [f"attempt {i}: " in log and f"crash number {i}" in log for i in (1, 2, 3)] == [True] * 3


def test_a_trial_that_takes_too_long_is_ended_with_its_children(
    tmp_path, run, make_trial, is_alive, wait_until
):
    slow = make_trial("slow", do="hang", times=9, ignore=True)
    seen = []
    statuses = run(
        [slow, make_trial("good", do="finish")],
        num_slots=2,
        max_attempts=3,
        timeout_seconds=2.0,
        grace_seconds=0.3,
        observer=lambda progress: seen.append(progress[0][1]),
    )
    assert (statuses["slow"].state, statuses["slow"].error) == ("failed", "timed out after 2 s")
    assert statuses["good"].state == "done"
    assert attempts(tmp_path / slow.uid) == 1
    # The trial's own status.json says how far it is, the sweep how often it was started.
    assert {(status.step, status.attempt) for status in seen if status.step} == {(4, 1)}
    pids = json.loads((tmp_path / slow.uid / "hanging").read_text())
    wait_until(lambda: not is_alive(pids["pid"]) and not is_alive(pids["child"]))


def test_done_trials_are_skipped_and_others_are_not(tmp_path, run, make_trial):
    names = ("done", "failed", "no_result", "interrupted", "running", "new")
    trials = {name: make_trial(name, do="finish") for name in names}
    for name, trial in trials.items():
        if name == "new":
            continue
        folder = tmp_path / trial.uid
        folder.mkdir()
        state = "done" if name == "no_result" else name
        write_status(folder, Status(state=state, step=5, num_steps=10, error="old"))
        if name != "no_result":
            (folder / "result.json").write_text("{}")
    first = []
    statuses = run(list(trials.values()), observer=lambda progress: first or first.extend(progress))
    assert {status.state for status in statuses.values()} == {"done"}
    assert {n: attempts(tmp_path / t.uid) for n, t in trials.items()} == {
        "done": 0, "no_result": 1, "failed": 1, "interrupted": 1, "running": 1, "new": 1,
    }  # fmt: skip
    # What a killed sweep left as running is not shown as running, nor a lost result as done.
    shown = {trial.label: status.state for trial, status in first}
    assert (shown["running"], shown["done"], shown["new"]) == ("interrupted", "done", "pending")
    assert shown["no_result"] == "interrupted"


def test_the_slot_reaches_the_trial_before_it_starts(tmp_path, run, make_trial):
    trial = make_trial("environment", do="environment")
    core = usable_cores()[-1:]
    run([trial], slots=[Slot({"CUDA_VISIBLE_DEVICES": "7"}, core)])
    seen = json.loads((tmp_path / trial.uid / "environment").read_text())
    assert seen["CUDA_VISIBLE_DEVICES"] == "7"
    assert seen["cores"] == list(core)


def test_the_observer_sees_every_trial_at_the_end(run, make_trial):
    last = []
    run(
        [make_trial("a", do="finish"), make_trial("b", do="kill")],
        num_slots=2,
        observer=lambda progress: last.append([(t.label, s.state) for t, s in progress]),
    )
    assert last[-1] == [("a", "done"), ("b", "failed")]


def test_an_error_in_the_sweep_leaves_no_process(tmp_path, run, make_trial, is_alive):
    trial = make_trial("slow", do="hang", times=9)

    def fail_once_running(progress):
        if (tmp_path / trial.uid / "hanging").exists():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run([trial], observer=fail_once_running)
    assert not is_alive(json.loads((tmp_path / trial.uid / "hanging").read_text())["pid"])


def test_handlers_are_restored_and_ignored_signals_stay_ignored(run, make_trial):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    handlers = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    try:
        seen = []
        run([], observer=lambda _: seen.append(signal.getsignal(signal.SIGHUP)))
        assert seen == [signal.SIG_IGN]
        assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == handlers
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(sys.platform != "linux", reason="The kernel's parent-death signal is Linux's.")
def test_killing_the_sweep_kills_its_trials_and_a_second_sweep_completes(
    tmp_path, drive, is_alive, wait_until
):
    configs = [{"label": str(i), "do": "hang", "times": 1} for i in range(2)]
    folders = [tmp_path / config_uid(config) for config in configs]
    sweep = drive(*configs, num_slots=2)
    wait_until(lambda: all((folder / "hanging").exists() for folder in folders))
    hanging = [json.loads((folder / "hanging").read_text()) for folder in folders]
    pids = [seen["pid"] for seen in hanging]
    assert all(map(is_alive, pids))
    sweep.kill()
    sweep.wait()
    wait_until(lambda: not any(map(is_alive, pids)))
    for seen in hanging:  # what a trial itself has started is beyond the kernel's signal
        os.kill(seen["child"], signal.SIGKILL)
    assert [read_status(folder).state for folder in folders] == ["running"] * 2
    assert drive(*configs, num_slots=2).wait() == 0
    assert [read_status(folder).state for folder in folders] == ["done"] * 2
    assert [attempts(folder) for folder in folders] == [2, 2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_sweep_is_resumed_by_the_same_command(
    tmp_path, drive, is_alive, wait_until, number
):
    configs = [
        {"label": "first", "do": "finish"},
        {"label": "second", "do": "hang", "times": 1},
        {"label": "third", "do": "finish"},
    ]
    first, second, third = (tmp_path / config_uid(config) for config in configs)
    sweep = drive(*configs)
    wait_until((second / "hanging").exists)
    pids = json.loads((second / "hanging").read_text())
    sweep.send_signal(number)
    output, _ = sweep.communicate(timeout=30)
    assert output == (
        "Stopped with 1 of 3 trials done; the same command resumes the others where they are.\n"
    )
    assert sweep.returncode == 130
    status = read_status(second)
    assert (status.state, status.step, status.error) == ("interrupted", 4, "")
    assert read_status(third).state == "pending"
    wait_until(lambda: not is_alive(pids["pid"]) and not is_alive(pids["child"]))
    assert drive(*configs).wait() == 0
    assert [attempts(folder) for folder in (first, second, third)] == [1, 2, 1]
    assert read_status(second).state == "done"


def test_a_second_interrupt_does_not_wait_for_a_stubborn_trial(
    tmp_path, drive, is_alive, wait_until
):
    config = {"label": "stubborn", "do": "hang", "times": 9, "ignore": True}
    folder = tmp_path / config_uid(config)
    sweep = drive(config, grace_seconds=FOR_EVER)
    wait_until((folder / "hanging").exists)
    sweep.send_signal(signal.SIGINT)
    time.sleep(0.3)  # two signals at one instant would be one
    assert sweep.poll() is None
    sweep.send_signal(signal.SIGINT)
    assert sweep.wait(timeout=30) == 130
    pid = json.loads((folder / "hanging").read_text())["pid"]
    assert not is_alive(pid)
    assert read_status(folder).state == "interrupted"


def test_a_trial_whose_sweep_is_gone_does_not_start(command, tmp_path):
    from seg_jax.sweeps.process import _BOOTSTRAP

    done = subprocess.run(
        [sys.executable, _BOOTSTRAP, str(os.getpid() + 1), "-", *command(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ended before this trial had started" in done.stderr
