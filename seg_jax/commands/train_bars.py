"""The picture that a terminal shows of a training run. Imports rich; imported only when shown."""

from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from seg_jax.commands.train_view import SLOW_DATA, describe_scores
from seg_jax.sweeps.progress import format_seconds
from seg_jax.train.progress import DeviceMemory, Progress


class BarView:
    """One bar for the phase that the run is in, and its last numbers below."""

    def __init__(self, num_steps: int, now: Callable[[], float]):
        """Shows that the run begins.

        Args:
            num_steps: steps of the whole run.
            now: a monotonic clock, in seconds.
        """
        self._num_steps, self._now = num_steps, now
        self._phase = "starting"
        self._began = self._since = now()
        self._progress: Progress | None = None
        self._told = 0.0
        self._evaluated = (0, 0)
        self._stopping = False

    def phase(self, name: str) -> None:
        """Begins a phase."""
        if name != self._phase:
            self._phase, self._since = name, self._now()
            self._evaluated = (0, 0)

    def progress(self, progress: Progress) -> None:
        """Shows where training stands."""
        self._progress, self._told = progress, self._now()

    def evaluated(self, done: int, total: int) -> None:
        """Shows how many images of an evaluation are done."""
        self._evaluated = (done, total)

    def stopping(self) -> None:
        """Shows that the run was asked to stop."""
        self._stopping = True

    def render(self) -> RenderableType:
        """Returns the picture of this moment."""
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(no_wrap=True)
        grid.add_column(ratio=1)
        grid.add_column(no_wrap=True, justify="right")
        grid.add_column(no_wrap=True, justify="right")
        done, total, unit, left = self._amounts()
        bar = ProgressBar(total or 100, done, pulse=not total, width=None)
        amount = f"{done:,}/{total:,} {unit}" if total else ""
        phase = "stopping" if self._stopping else self._phase
        grid.add_row(Text(phase, style="bold"), bar, Text(amount), Text(left, style="cyan"))
        return Group(grid, *self._lines())

    def _amounts(self) -> tuple[int, int, str, str]:
        """Returns what is done, of how much (0 if unknown), its unit and the time."""
        elapsed = self._now() - self._since
        if self._phase == "done":
            took = format_seconds(self._now() - self._began)
            return self._num_steps, self._num_steps, "steps", took
        if self._phase == "evaluating":
            done, total = self._evaluated
            return done, total, "images", format_seconds(elapsed)
        if self._phase != "training" or self._progress is None:
            return 0, 0, "", format_seconds(elapsed)
        progress = self._progress
        left = progress.seconds_left - (self._now() - self._told)
        known = left == left
        text = f"{format_seconds(max(left, 0.0))} left" if known else ""
        return progress.step, self._num_steps, "steps", text

    def _lines(self) -> list[Text]:
        """Returns the numbers of the last row, and the scores of the last evaluation."""
        progress = self._progress
        if progress is None:
            return []
        parts = [f"loss {progress.loss:.4f}", f"lr {progress.learning_rate:.3g}"]
        if progress.images_per_second:
            parts.append(f"{progress.images_per_second:.1f} images/s")
        if progress.memory:
            parts.append(_memory(progress.memory))
        numbers = Text("  ".join(parts), style="dim", no_wrap=True, overflow="ellipsis")
        if progress.data_wait >= SLOW_DATA:
            numbers.append(f"  waiting for data {progress.data_wait:.0%}", style="yellow")
        if not progress.scores:
            return [numbers]
        scores = f"{describe_scores(progress)}  at step {progress.scores_step}"
        return [numbers, Text(scores, style="dim", no_wrap=True, overflow="ellipsis")]


def _memory(memory: DeviceMemory) -> str:
    of = f" of {memory.limit / 2**30:.1f}" if memory.limit else ""
    return f"memory {memory.peak / 2**30:.1f}{of} GiB"
