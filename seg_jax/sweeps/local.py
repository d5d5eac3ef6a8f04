"""Runs the trials of a sweep on this machine: one subprocess each, a few at a time.

A process per trial, because JAX keeps the memory of a device until its process ends, and a
crash must cost one trial, not the sweep.
"""

import contextlib
import dataclasses
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from seg_jax.files import write_json
from seg_jax.sweeps.plan import Trial
from seg_jax.sweeps.process import TrialProcess
from seg_jax.sweeps.slots import Slot
from seg_jax.sweeps.status import RESULT_FILE, Status, is_done, read_status, write_status

CONFIG_FILE = "config.json"
INTERRUPTED_EXIT_CODE = 130
REFUSED_EXIT_CODE = 2
"""Of a trial whose config or data cannot be run: it is not tried again."""
_POLL_SECONDS = 0.1
_OBSERVE_SECONDS = 0.5

Progress = Sequence[tuple[Trial, Status]]
Observer = Callable[[Progress], None]


class SweepInterruptedError(KeyboardInterrupt):
    """The sweep was asked to stop and has stopped; the message says how to go on.

    The command that runs the sweep exits with INTERRUPTED_EXIT_CODE.
    """


def run_trials(
    trials: Sequence[Trial],
    workdir: Path,
    *,
    command: Callable[[Path], list[str]],
    slots: Sequence[Slot],
    max_attempts: int,
    timeout_seconds: float | None,
    grace_seconds: float,
    observer: Observer | None = None,
) -> list[tuple[Trial, Status]]:
    """Runs every trial that is not done; call it under `workdir_lock`.

    Trials start in the order given, in `<workdir>/<uid>`; the `config.json` there is written
    first. One that fails does not stop the others. SIGINT, SIGTERM and SIGHUP end the trials
    gently, a second one at once.

    Args:
        trials: what to run.
        workdir: folder of the sweep.
        command: trial folder -> the command line that runs, or resumes, the trial there.
        slots: shares of the machine; as many trials run at a time.
        max_attempts: processes started for a trial before it counts as failed.
        timeout_seconds: how long one process may run; None for ever. A trial that ran out of
            time is not tried again.
        grace_seconds: time between SIGTERM and SIGKILL.
        observer: called with all trials every half second, and once at the end.

    Returns:
        All trials with their final status, in the order given.

    Raises:
        SweepInterruptedError: a signal ended the sweep.
    """
    pool = _Pool(trials, workdir, command, slots, max_attempts, timeout_seconds, grace_seconds)
    with _stop_signals() as received:
        try:
            _loop(pool, received, observer)
        finally:
            pool.kill()
    progress = pool.progress()
    if pool.stopping:
        done = sum(status.state == "done" for _, status in progress)
        raise SweepInterruptedError(
            f"Stopped with {done} of {len(progress)} trials done; "
            "the same command resumes the others where they are."
        )
    return progress


def _loop(pool: "_Pool", received: list[int], observer: Observer | None) -> None:
    observed = -_OBSERVE_SECONDS
    while pool.step():
        if len(received) > pool.stopping:
            pool.stop(at_once=len(received) > 1)
        if observer and time.monotonic() - observed >= _OBSERVE_SECONDS:
            observer(pool.progress())
            observed = time.monotonic()
        time.sleep(_POLL_SECONDS)
    if observer:
        observer(pool.progress())


@dataclasses.dataclass
class _Running:
    trial: Trial
    slot: Slot
    attempt: int
    process: TrialProcess


class _Pool:
    """The trials that wait, those that run, and what became of the others."""

    def __init__(
        self,
        trials: Sequence[Trial],
        workdir: Path,
        command: Callable[[Path], list[str]],
        slots: Sequence[Slot],
        max_attempts: int,
        timeout_seconds: float | None,
        grace_seconds: float,
    ):
        self.stopping = 0
        self._trials = trials
        self._workdir = workdir
        self._command = command
        self._max_attempts = max_attempts
        self._timeout = float("inf") if timeout_seconds is None else timeout_seconds
        self._grace = grace_seconds
        self._free = list(reversed(slots))
        self._running: list[_Running] = []
        self._waiting: deque[tuple[Trial, int, str]] = deque()
        self._settled: dict[str, Status] = {}
        for trial in trials:
            directory = workdir / trial.uid
            status = read_status(directory)
            if is_done(directory):
                self._settled[trial.uid] = status
                continue
            self._waiting.append((trial, 1, ""))
            # "running" though nobody runs it: its sweep was killed. "done": its result is gone.
            state = "interrupted" if status.state in ("running", "done") else status.state
            self._settled[trial.uid] = dataclasses.replace(status, state=state)

    def progress(self) -> list[tuple[Trial, Status]]:
        """Returns every trial with its present status, in the order of the plan."""
        statuses = dict(self._settled)
        for item in self._running:
            status = read_status(self._workdir / item.trial.uid)
            # A trial does not know how often it was started.
            statuses[item.trial.uid] = dataclasses.replace(status, attempt=item.attempt)
        return [(trial, statuses[trial.uid]) for trial in self._trials]

    def step(self) -> bool:
        """Settles what has ended and starts what fits; tells whether anything is left to do."""
        for item in tuple(self._running):
            if item.process.poll() is not None:
                self._running.remove(item)
                self._free.append(item.slot)
                self._settle(item)
            elif item.process.seconds > self._timeout:
                item.process.stop(f"timed out after {self._timeout:g} s", self._grace)
        while self._waiting and self._free and not self.stopping:
            self._start(*self._waiting.popleft())
        return bool(self._running or (self._waiting and not self.stopping))

    def stop(self, *, at_once: bool) -> None:
        """Ends the running trials and starts no more."""
        self.stopping += 1
        for item in self._running:
            item.process.stop("interrupted", 0.0 if at_once else self._grace)

    def kill(self) -> None:
        """Kills what still runs: an unforeseen error must not leave processes behind."""
        for item in self._running:
            item.process.kill()

    def _start(self, trial: Trial, attempt: int, error: str) -> None:
        directory = self._workdir / trial.uid
        directory.mkdir(parents=True, exist_ok=True)
        write_json(directory / CONFIG_FILE, trial.config)
        status = dataclasses.replace(
            read_status(directory), state="running", phase="starting", attempt=attempt, error=error
        )
        write_status(directory, status)
        slot = self._free.pop()
        process = TrialProcess(self._command(directory), directory, slot, attempt)
        self._running.append(_Running(trial, slot, attempt, process))

    def _settle(self, item: _Running) -> None:
        """Writes the final status of an ended process, or queues the trial once more."""
        directory = self._workdir / item.trial.uid
        status = dataclasses.replace(read_status(directory), attempt=item.attempt)
        completed = item.process.poll() == 0 and not item.process.stopped_for
        if is_done(directory) or (completed and (directory / RESULT_FILE).is_file()):
            status = dataclasses.replace(status, state="done", error="", seconds_left=0.0)
        elif item.process.stopped_for == "interrupted":
            status = dataclasses.replace(status, state="interrupted", error="")
        else:
            error = self._error(item, status)
            status = dataclasses.replace(status, state="failed", error=error)
            crashed = not item.process.stopped_for and item.process.poll() != REFUSED_EXIT_CODE
            if crashed and item.attempt < self._max_attempts:
                status = dataclasses.replace(status, state="pending")
                self._waiting.appendleft((item.trial, item.attempt + 1, error))
        write_status(directory, status)
        self._settled[item.trial.uid] = status

    @staticmethod
    def _error(item: _Running, status: Status) -> str:
        if item.process.stopped_for:
            return item.process.stopped_for
        if status.state == "failed" and status.error:
            return status.error  # the trial's own words
        if item.process.poll() == 0:
            return f"exited with code 0 but wrote no {RESULT_FILE}"
        return item.process.exit_reason()


@contextlib.contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Collects SIGINT, SIGTERM and SIGHUP in a list instead of acting on them.

    An exception could strike between the start of a process and the note that it was started.
    A signal that is ignored, as under `nohup`, stays ignored. Only the main thread can handle
    signals; elsewhere none arrive.
    """
    received: list[int] = []
    previous = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:
                previous[number] = signal.signal(number, lambda n, _: received.append(n))
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
