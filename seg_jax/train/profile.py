"""A trace of some steps by JAX's profiler, for whoever asks where the time goes."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax

_logger = logging.getLogger(__name__)


class Profiler:
    """Traces the steps from `first` to `last`; use as a context manager, so that it ends."""

    def __init__(self, folder: Path, steps: Sequence[int]):
        """Traces nothing yet.

        Args:
            folder: where the trace is written.
            steps: (first, last), counted from 1, both traced; empty for none. Those that were
                taken before a resume are not traced. The first step of a process compiles,
                which fills a trace with little else.
        """
        self._folder = folder
        self._first, self._last = steps if steps else (0, -1)
        self._tracing = False

    def __enter__(self) -> "Profiler":
        return self

    def __exit__(self, kind, value, traceback) -> None:
        self._stop()

    def before(self, step: int) -> None:
        """Begins the trace if `step`, which is taken next, is the first to be traced."""
        if self._first <= step <= self._last and not self._tracing:
            jax.profiler.start_trace(str(self._folder))
            self._tracing = True

    def after(self, step: int, results: Any) -> None:
        """Ends the trace if `step` was the last one, once its `results` are there."""
        if self._tracing and step >= self._last:
            jax.block_until_ready(results)
            self._stop()

    def _stop(self) -> None:
        if self._tracing:
            self._tracing = False
            jax.profiler.stop_trace()
            _logger.info(
                "The trace up to step %d is in %s. Open it with `pip install xprof` and "
                "`xprof --logdir=%s`.",
                self._last,
                self._folder,
                self._folder,
            )
