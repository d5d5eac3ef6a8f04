"""Takes the steps: log, checkpoint, stop when asked; everything else is handed in."""

import dataclasses
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax

from seg_jax.checkpoints import Checkpointer
from seg_jax.train.state import TrainState
from seg_jax.typing import Batch


class DivergedError(RuntimeError):
    """The loss is not a number any more."""


class StoppedError(RuntimeError):
    """Training was asked to stop; the state is saved."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where training stands.

    Attributes:
        step: number of steps taken.
        loss: of the last step, nats per pixel.
        images_per_second: since the last report, compilation not counted.
        seconds_left: estimate for the remaining steps.
    """

    step: int
    loss: float
    images_per_second: float
    seconds_left: float


@dataclasses.dataclass(frozen=True)
class Timing:
    """What training took in this process.

    Attributes:
        compile_seconds: the first step, which is nearly all tracing and compilation.
        train_seconds: the steps after it.
        images_per_second: of the steps after the first one; 0 when there were none.
    """

    compile_seconds: float
    train_seconds: float
    images_per_second: float


def train(
    step_fn: Callable[[TrainState, Batch], tuple[TrainState, dict[str, jax.Array]]],
    state: TrainState,
    batches: Iterator[Batch],
    checkpointer: Checkpointer,
    log: "MetricsLog",
    *,
    num_steps: int,
    log_every: int,
    checkpoint_every: int,
    on_progress: Callable[[Progress], None],
    stop_requested: Callable[[], bool],
) -> tuple[TrainState, Timing]:
    """Trains from `state.step` to `num_steps` and saves the last state.

    Args:
        step_fn: the mapped train step.
        state: where to start; the step is the data stream's position, too.
        batches: stream whose first batch is the one of step `state.step`.
        checkpointer: receives the state every `checkpoint_every` steps and at the end.
        log: receives a row every `log_every` steps and at the end.
        num_steps: step to end at.
        log_every: steps between two rows; reading a loss waits for the device.
        checkpoint_every: steps between two checkpoints.
        on_progress: called after every row.
        stop_requested: asked after every step.

    Raises:
        DivergedError: a logged loss is NaN or infinite.
        StoppedError: `stop_requested` said so; the state of that step is saved.
    """
    start = step = int(state.step)
    compile_seconds, began = 0.0, time.perf_counter()
    window_start, window_step = began, start
    while step < num_steps:
        batch = next(batches)
        state, scalars = step_fn(state, batch)
        step += 1
        if step == start + 1:
            jax.block_until_ready(state)
            window_start, window_step = time.perf_counter(), step
            compile_seconds = window_start - began
        if step % log_every == 0 or step in (start + 1, num_steps):
            row = {name: float(value) for name, value in jax.device_get(scalars).items()}
            now = time.perf_counter()
            speed = (step - window_step) / max(now - window_start, 1e-9)
            images_per_second = speed * batch["image"].shape[0]
            log.write(step, {**row, "images_per_second": images_per_second})
            seconds_left = (num_steps - step) / speed if speed else float("nan")
            on_progress(Progress(step, row["loss"], images_per_second, seconds_left))
            _refuse_nan(row["loss"], step)
            if step > start + 1:
                window_start, window_step = now, step
        stopping = stop_requested()
        if step % checkpoint_every == 0 or step == num_steps or stopping:
            checkpointer.save(step, state)
        if stopping and step < num_steps:
            checkpointer.wait()
            raise StoppedError(f"Stopped at step {step} of {num_steps}; the state is saved.")
    checkpointer.wait()
    train_seconds = max(time.perf_counter() - began - compile_seconds, 0.0)
    images = max(step - start - 1, 0) * (batch["image"].shape[0] if step > start else 0)
    rate = images / train_seconds if images else 0.0
    return state, Timing(compile_seconds, train_seconds, rate)


def _refuse_nan(loss: float, step: int) -> None:
    if loss != loss or loss in (float("inf"), float("-inf")):
        raise DivergedError(
            f"The loss is {loss} at step {step}. Lower config.schedule.base_lr, raise "
            f"config.schedule.warmup_steps, or check the labels with `python launch.py prepare`."
        )


class MetricsLog:
    """`metrics.jsonl`: one JSON object a line, in the order of the steps, each step once."""

    def __init__(self, path: str | os.PathLike, *, resume_at: int):
        """Opens the log, cutting off the rows after step `resume_at`, which come again."""
        self._path = Path(path)
        rows = [row for row in read_metrics(self._path) if row["step"] <= resume_at]
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text("".join(json.dumps(row) + "\n" for row in rows))
        temporary.rename(self._path)
        self._began = time.perf_counter() - (rows[-1].get("seconds", 0.0) if rows else 0.0)

    def write(self, step: int, row: dict[str, Any]) -> None:
        """Appends a row; `seconds` is the time spent so far, earlier processes included."""
        row = {"step": step, **row, "seconds": round(time.perf_counter() - self._began, 3)}
        with self._path.open("a") as file:
            file.write(json.dumps(row) + "\n")


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Returns the rows of a `metrics.jsonl`; a last line that a kill cut off is left out."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text().splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows
