"""Where the time of a training run goes: compiling, waiting for data, training, pausing."""

import contextlib
import time
from collections.abc import Iterator
from typing import NamedTuple

from seg_jax.train.progress import Timing


class Speed(NamedTuple):
    """How fast the steps since the last reading were.

    Attributes:
        images_per_second: 0 where there were none.
        data_wait: share of the time in which the loop waited for a batch.
        seconds_per_step: NaN where there were none.
    """

    images_per_second: float
    data_wait: float
    seconds_per_step: float


class Clock:
    """Measures a run from its start; the first step, which compiles, counts for itself."""

    def __init__(self, step: int, *, batch_size: int):
        """Starts.

        Args:
            step: number of steps taken before.
            batch_size: of the global batch.
        """
        self._first, self._batch_size = step + 1, batch_size
        self._window_step = step
        self._began = self._window_began = time.perf_counter()
        self._compile_seconds = 0.0
        self._waited = self._paused = 0.0
        self.pause_seconds = 0.0
        """What the last pause took."""

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Counts what runs within as waiting for data."""
        began = time.perf_counter()
        yield
        self._waited += time.perf_counter() - began

    @contextlib.contextmanager
    def pausing(self) -> Iterator[None]:
        """Does not count what runs within as training."""
        began = time.perf_counter()
        yield
        self.pause_seconds = time.perf_counter() - began
        self._paused += self.pause_seconds
        self._window_began += self.pause_seconds

    def compiled(self) -> None:
        """Notes that the first step is over."""
        self._compile_seconds = time.perf_counter() - self._began - self._paused
        self._open_window(self._first)

    def read(self, step: int) -> Speed:
        """Returns the speed since the last reading, and begins the next."""
        steps = step - self._window_step
        if steps <= 0 or step == self._first:
            return Speed(0.0, 0.0, float("nan"))
        seconds = max(time.perf_counter() - self._window_began, 1e-9)
        speed = Speed(steps * self._batch_size / seconds, self._waited / seconds, seconds / steps)
        self._open_window(step)
        return speed

    def timing(self, step: int) -> Timing:
        """Returns what the run has taken up to `step`."""
        seconds = time.perf_counter() - self._began - self._paused - self._compile_seconds
        images = max(step - self._first, 0) * self._batch_size
        return Timing(self._compile_seconds, max(seconds, 0.0), images / seconds if images else 0.0)

    def _open_window(self, step: int) -> None:
        self._window_began, self._window_step, self._waited = time.perf_counter(), step, 0.0
