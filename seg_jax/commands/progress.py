"""Shows a long preparation: a bar on a terminal, plain lines elsewhere."""

import contextlib
import io
import time
from collections.abc import Iterator
from typing import TextIO, cast

from seg_jax.data.preparation.progress import Progress

Stream = TextIO | io.TextIOBase
"""Somewhere to write text; those in memory are not of the first type."""

_LINE_SECONDS = 10.0


@contextlib.contextmanager
def show_progress(stream: Stream) -> Iterator[Progress]:
    """Yields what a preparation keeps informed.

    Args:
        stream: where to show it; a bar if it is a terminal.
    """
    if not stream.isatty():
        yield LineView(stream)
        return
    with _bar_view(cast(TextIO, stream)) as view:
        yield view


class LineView:
    """Writes a line when a phase begins, and every ten seconds while it runs."""

    def __init__(self, stream: Stream):
        self._stream = stream
        self._phase, self._unit = "", ""
        self._total = self._done = self._earlier = 0
        self._began = self._written = 0.0

    def say(self, line: str) -> None:
        """Writes a sentence."""
        self._stream.write(f"{line}\n")
        self._stream.flush()

    def start(self, phase: str, total: int, *, unit: str, done: int = 0) -> None:
        """Begins a phase."""
        self._phase, self._unit, self._total = phase, unit, total
        self._done = self._earlier = done
        self._began = self._written = time.monotonic()

    def advance(self, count: int) -> None:
        """Writes how far the phase is, unless it did so just now."""
        self._done += count
        now = time.monotonic()
        if now - self._written >= _LINE_SECONDS:
            self._written = now
            self.say(f"{self._phase}: {self._amount()}, {self._speed()}")

    def _amount(self) -> str:
        if not self._total:
            return _number(self._done, self._unit)
        if self._unit == "bytes":
            return f"{self._done / 1e6:.1f} of {_number(self._total, self._unit)}"
        return f"{self._done:,} of {_number(self._total, self._unit)}"

    def _rate(self) -> float:
        """Units a second in this call."""
        return (self._done - self._earlier) / max(time.monotonic() - self._began, 1e-3)

    def _speed(self) -> str:
        rate = self._rate()
        text = f"{_number(rate, self._unit)}/s"
        if self._total:
            text += f", {(self._total - self._done) / max(rate, 1e-9):.0f} s left"
        return text


def _number(value: float | int, unit: str) -> str:
    return f"{value / 1e6:.1f} MB" if unit == "bytes" else f"{value:,.0f} {unit}"


@contextlib.contextmanager
def _bar_view(stream: TextIO) -> Iterator[Progress]:
    # rich: only where there is a terminal.
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[amount]}"),
        TimeRemainingColumn(compact=True),
    )
    with Bars(*columns, console=Console(file=stream)) as bars:
        yield _BarView(bars)


class _BarView(LineView):
    """Draws a bar for every phase; those that are done stay."""

    def __init__(self, bars):
        super().__init__(bars.console.file)
        self._bars, self._task = bars, None

    def say(self, line: str) -> None:
        """Writes a sentence above the bars."""
        self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def start(self, phase: str, total: int, *, unit: str, done: int = 0) -> None:
        """Begins a bar."""
        super().start(phase, total, unit=unit, done=done)
        self._task = self._bars.add_task(phase, total=total or None, completed=done, amount="")

    def advance(self, count: int) -> None:
        """Moves the bar."""
        self._done += count
        amount = f"{self._amount()}, {_number(self._rate(), self._unit)}/s"
        self._bars.update(self._task, advance=count, amount=amount)
