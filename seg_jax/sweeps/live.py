"""The live table of a running sweep. Imports rich, so it is itself imported only when shown."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from seg_jax.sweeps.local import Observer, Progress
from seg_jax.sweeps.plan import Trial
from seg_jax.sweeps.progress import Results, TimeLeft, format_seconds, overall_done
from seg_jax.sweeps.status import Status

_STYLES = {"running": "cyan", "done": "green", "failed": "red", "interrupted": "yellow"}
# What is shown first where the terminal is too short for every trial.
_URGENCY = ("running", "failed", "interrupted", "pending", "done")
_OTHER_LINES = 4
_WIDTH_FOR_BARS = 110
_BAR_WIDTH = 12


@contextlib.contextmanager
def live_view(workdir: Path, stream: TextIO) -> Iterator[Observer]:
    """Yields an observer that redraws one line per trial; at the end all of them stay."""
    console = Console(file=stream)
    results, time_left = Results(workdir), TimeLeft()
    last: Progress = ()
    with Live(console=console, auto_refresh=False) as live:

        def observe(progress: Progress) -> None:
            nonlocal last
            last = progress
            left = time_left(progress, time.monotonic())
            rows = most_urgent(progress, console.height - _OTHER_LINES)
            live.update(render(rows, progress, results, left, console.width), refresh=True)

        try:
            yield observe
        finally:
            if last:
                live.vertical_overflow = "visible"
                table = render(last, last, results, None, console.width)
                live.update(Group(table, *_failures(last)), refresh=True)


def most_urgent(progress: Progress, limit: int) -> Progress:
    """Returns at most `limit` trials, running ones first to be kept, in the order of the plan."""
    places = sorted(
        range(len(progress)), key=lambda place: _URGENCY.index(progress[place][1].state)
    )
    return [progress[place] for place in sorted(places[: max(limit, 1)])]


def render(
    shown: Progress, progress: Progress, results: Results, left: float | None, width: int
) -> Group:
    """Returns the table of the trials shown and the line that sums up all of them.

    Args:
        shown: the trials of the table.
        progress: all trials.
        results: what finished trials have achieved.
        left: seconds to the end of the sweep; None while unknown.
        width: of the terminal, in characters; bars are drawn only where there is room.
    """
    bars = width >= _WIDTH_FOR_BARS
    table = Table(box=None, padding=(0, 1, 0, 0), expand=True)
    for name in ("trial", "seed", "state", "step") + (("",) if bars else ()):
        table.add_column(name, no_wrap=True)
    for name in ("loss", "images/s", "left"):
        table.add_column(name, justify="right", no_wrap=True)
    # The only column that gives way: an error may be longer than any terminal is wide.
    table.add_column("", no_wrap=True, overflow="ellipsis", ratio=1, min_width=9)
    for trial, status in shown:
        table.add_row(*_row(trial, status, results, bars=bars))
    line = overall_done(progress)
    if len(shown) < len(progress):
        line += f", {len(progress) - len(shown)} not shown"
    if left is not None:
        line += f", time left ~ {format_seconds(left)}"
    return Group(table, Text(line, style="bold"))


def _row(
    trial: Trial, status: Status, results: Results, *, bars: bool
) -> Sequence[Text | ProgressBar]:
    running = status.state == "running"
    total, step = status.num_steps, status.step
    speed = status.images_per_second if running else None
    left = status.seconds_left if running else None
    cells: list[Text | ProgressBar] = [
        Text(trial.label),
        Text("" if trial.seed is None else str(trial.seed)),
        Text(status.phase if running else status.state, style=_STYLES.get(status.state, "")),
        Text(f"{step}/{total}" if total else ""),
    ]
    if bars:
        cells.append(ProgressBar(total, step, width=_BAR_WIDTH) if total else Text(""))
    cells += [
        Text("" if status.loss is None else f"{status.loss:.4g}"),
        Text("" if speed is None else f"{speed:.1f}"),
        Text("" if left is None else format_seconds(left)),
        _remark(trial, status, results),
    ]
    return cells


def _remark(trial: Trial, status: Status, results: Results) -> Text:
    if status.state == "done":
        return Text(results.describe(trial))
    again = f"attempt {status.attempt}" if status.attempt > 1 else ""
    return Text(", ".join(filter(None, (again, status.error))), style="red" if status.error else "")


def _failures(progress: Progress) -> list[Text]:
    """Returns the errors in full, which the table has cut off."""
    return [
        Text(f"{trial.title}: {status.error}", style="red")
        for trial, status in progress
        if status.state == "failed"
    ]
