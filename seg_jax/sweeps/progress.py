"""Shows a running sweep: a live table on a terminal, one line per event elsewhere."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from seg_jax.files import JSONFileError, read_json
from seg_jax.sweeps.local import Observer, Progress
from seg_jax.sweeps.plan import Trial
from seg_jax.sweeps.status import RESULT_FILE, Status

_LINE_SECONDS = 20.0


@contextlib.contextmanager
def show_progress(workdir: Path, stream: TextIO) -> Iterator[Observer]:
    """Yields the observer that `run_trials` keeps informed.

    Args:
        workdir: folder of the sweep; finished trials show the mIoU of their `result.json`.
        stream: where to show it; a live table if it is a terminal.
    """
    if not stream.isatty():
        yield LineView(workdir, stream)
        return
    from seg_jax.sweeps.live import live_view  # rich: only where there is a terminal

    with live_view(workdir, stream) as view:
        yield view


class LineView:
    """Writes a line when a trial starts, every 20 seconds while it runs, and when it ends."""

    def __init__(self, workdir: Path, stream: TextIO):
        self._results = Results(workdir)
        self._stream = stream
        self._last: dict[str, tuple[str, int]] = {}
        self._written: dict[str, tuple[float, int]] = {}

    def __call__(self, progress: Progress) -> None:
        """Writes what has happened since the last call."""
        overall = overall_done(progress)
        for trial, status in progress:
            event = (status.state, status.attempt)
            before = self._last.get(trial.uid)
            self._last[trial.uid] = event
            if before != event:
                text = self._event(trial, status, first=before is None)
                self._written[trial.uid] = (time.monotonic(), status.step)
            else:
                text = self._running(trial, status)
            if text:
                self._stream.write(f"[{overall}] {trial.title}: {text}\n")
        self._stream.flush()

    def _event(self, trial: Trial, status: Status, *, first: bool) -> str:
        if status.state == "done":
            return f"{'was done' if first else 'done'}, {self._results.describe(trial)}"
        if status.state == "running":
            again = f", attempt {status.attempt} after: {status.error}" if status.error else ""
            at = f" at step {status.step} of {status.num_steps}" if status.step else ""
            return f"started{at}{again}"
        if first or status.state == "pending":
            return ""
        return f"failed: {status.error}" if status.state == "failed" else status.state

    def _running(self, trial: Trial, status: Status) -> str:
        when, step = self._written[trial.uid]
        now = time.monotonic()
        if status.state != "running" or now - when < _LINE_SECONDS:
            return ""
        self._written[trial.uid] = (now, status.step)
        if status.step == step:
            return status.phase
        parts = [f"step {status.step} of {status.num_steps}"]
        if status.loss is not None:
            parts.append(f"loss {status.loss:.4g}")
        if status.images_per_second is not None:
            parts.append(f"{status.images_per_second:.1f} images/s")
        if status.seconds_left is not None:
            parts.append(f"{format_seconds(status.seconds_left)} left")
        return ", ".join(parts)


class Results:
    """The mIoU of finished trials, read once each."""

    def __init__(self, workdir: Path):
        self._workdir = workdir
        self._described: dict[str, str] = {}

    def describe(self, trial: Trial) -> str:
        """Returns "mIoU 61.3" in percent, or what keeps it from being known."""
        if trial.uid not in self._described:
            try:
                result = read_json(self._workdir / trial.uid / RESULT_FILE)
                self._described[trial.uid] = f"mIoU {100 * result['metrics']['miou']:.1f}"
            except (OSError, JSONFileError, KeyError, TypeError):
                self._described[trial.uid] = f"mIoU not found in {RESULT_FILE}"
        return self._described[trial.uid]


class TimeLeft:
    """Estimates the time to the end of a sweep from the share of its steps taken so far."""

    def __init__(self) -> None:
        self._start: tuple[float, float] | None = None

    def __call__(self, progress: Progress, now: float) -> float | None:
        """Returns seconds; None while nothing can be said.

        Args:
            progress: all trials; each counts the same. Failed ones count as over.
            now: a monotonic clock, in seconds.
        """
        share = sum(map(_share, (status for _, status in progress))) / len(progress)
        if self._start is None:
            self._start = (now, share)
        began, before = self._start
        if share <= before:
            return None
        return (now - began) * (1 - share) / (share - before)


def _share(status: Status) -> float:
    if status.state in ("done", "failed"):
        return 1.0
    return min(status.step / status.num_steps, 1.0) if status.num_steps else 0.0


def overall_done(progress: Progress) -> str:
    """Returns "2 of 6 done", with the number that failed if any did."""
    states = [status.state for _, status in progress]
    failed = f", {states.count('failed')} failed" if "failed" in states else ""
    return f"{states.count('done')} of {len(states)} done{failed}"


def format_seconds(seconds: float) -> str:
    """Writes a duration as "42 s", "3 min 05 s" or "2 h 07 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
