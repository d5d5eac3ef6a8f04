"""Shows a training run: a bar and the numbers below it on a terminal, plain lines elsewhere."""

import contextlib
import logging
import sys
import time
from collections.abc import Iterator
from typing import Protocol, TextIO, cast, runtime_checkable

from seg_jax.commands.progress import Stream
from seg_jax.train.progress import Progress

SLOW_DATA = 0.1
"""Share of the time spent waiting for data from which on a line mentions it."""


@runtime_checkable
class View(Protocol):
    """What a training run keeps informed."""

    def phase(self, name: str) -> None:
        """Begins a phase: "compiling", "training", "evaluating"."""
        ...

    def progress(self, progress: Progress) -> None:
        """Shows where training stands."""
        ...

    def evaluated(self, done: int, total: int) -> None:
        """Shows how many images of an evaluation are done."""
        ...

    def stopping(self) -> None:
        """Shows that the run was asked to stop."""
        ...


@contextlib.contextmanager
def show_training(stream: Stream, num_steps: int) -> Iterator[View]:
    """Yields what a training run keeps informed.

    Args:
        stream: where to show it; a bar if it is a terminal.
        num_steps: steps of the whole run.
    """
    if not stream.isatty():
        yield LineView(stream, num_steps)
        return
    with _bar_view(stream, num_steps) as view:
        yield view


class LineView:
    """Writes a line for every row of the log, and one for every evaluation."""

    def __init__(self, stream: Stream, num_steps: int):
        self._stream, self._num_steps = stream, num_steps
        self._scores_step = 0

    def phase(self, name: str) -> None:
        """Says nothing: what a phase gives is told when it is there."""

    def progress(self, progress: Progress) -> None:
        """Writes the line."""
        at = f"step {progress.step}/{self._num_steps}"
        if progress.scores_step != self._scores_step:
            self._scores_step = progress.scores_step
            self._say(f"{at}  {describe_scores(progress)}")
            return
        line = f"{at}  loss {progress.loss:.4f}"
        if progress.images_per_second:
            line += f"  {progress.images_per_second:.1f} images/s"
            line += f"  {progress.seconds_left:.0f} s left"
        if progress.data_wait >= SLOW_DATA:
            line += f"  waiting for data {progress.data_wait:.0%}"
        self._say(line)

    def evaluated(self, done: int, total: int) -> None:
        """Says nothing: the scores follow."""

    def stopping(self) -> None:
        """Says nothing: the run says so itself when it has stopped."""

    def _say(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()


def describe_scores(progress: Progress) -> str:
    """Returns the scores of the last evaluation, those in [0, 1] in percent."""
    parts = []
    for name, value in progress.scores.items():
        shown = "mIoU" if name == "miou" else name.replace("_", " ")
        parts.append(f"{shown} {100 * value:.2f} %" if 0 <= value <= 1 else f"{shown} {value:.4g}")
    return "  ".join(parts)


@contextlib.contextmanager
def _bar_view(stream: Stream, num_steps: int) -> Iterator[View]:
    # rich: only where there is a terminal.
    from rich.console import Console
    from rich.live import Live

    from seg_jax.commands.train_bars import BarView

    console = Console(file=cast(TextIO, stream))
    view = BarView(num_steps, time.monotonic)
    with (
        Live(get_renderable=view.render, console=console, refresh_per_second=4),
        _logs_above_the_bar(),
    ):
        yield view
        view.phase("done")


@contextlib.contextmanager
def _logs_above_the_bar() -> Iterator[None]:
    """Sends log messages through the `sys.stderr` of the live display, which prints above it."""
    moved = []
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler and handler.stream is not sys.stderr:
            moved.append((handler, handler.setStream(sys.stderr)))
    try:
        yield
    finally:
        for handler, earlier in moved:
            handler.setStream(earlier)
