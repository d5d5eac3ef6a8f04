"""Writes the rows of a run, and tells whoever watches."""

import dataclasses
from collections.abc import Callable, Mapping

from seg_jax.logs.writer import Writer
from seg_jax.train.clock import Clock
from seg_jax.train.progress import Progress, device_memory


class Teller:
    """Adds to the numbers of a step what they do not say: speed, memory, time left."""

    def __init__(
        self,
        log: Writer,
        on_progress: Callable[[Progress], None],
        clock: Clock,
        *,
        num_steps: int,
        evaluate_every: int,
    ):
        """Has nothing to tell yet.

        Args:
            log: receives the rows.
            on_progress: called after every row.
            clock: of the run.
            num_steps: step that the run ends at.
            evaluate_every: steps between two evaluations; 0 for none.
        """
        self._log, self._on_progress, self._clock = log, on_progress, clock
        self._num_steps, self._every = num_steps, evaluate_every
        nan = float("nan")
        self._last = Progress(0, nan, nan, 0.0, 0.0, nan)
        self._evaluation_seconds = 0.0

    def tell_row(self, step: int, scalars: Mapping[str, float]) -> None:
        """Adds the speed to the numbers of a step, and tells them."""
        speed, memory = self._clock.read(step), device_memory()
        row = {
            **scalars,
            "images_per_second": speed.images_per_second,
            "data_wait": speed.data_wait,
        }
        if memory:
            row["device_memory"] = float(memory.peak)
        self._log.write(step, row)
        left = self._num_steps - step
        pauses = (left // self._every if self._every else 0) * self._evaluation_seconds
        self._last = dataclasses.replace(
            self._last,
            step=step,
            loss=scalars["loss"],
            learning_rate=scalars["learning_rate"],
            images_per_second=speed.images_per_second,
            data_wait=speed.data_wait,
            seconds_left=left * speed.seconds_per_step + pauses if left else 0.0,
            memory=memory,
        )
        self._on_progress(self._last)

    def tell_scores(self, step: int, scores: Mapping[str, float]) -> None:
        """Tells the scores of an evaluation that has just ended."""
        self._evaluation_seconds = self._clock.pause_seconds
        self._log.write(step, scores)
        self._last = dataclasses.replace(self._last, scores=dict(scores), scores_step=step)
        self._on_progress(dataclasses.replace(self._last, step=step))
