"""Takes the steps: log, checkpoint, stop when asked; everything else is handed in.

Steps are dispatched without waiting for their results: while one is computed, the next batch is
made and placed. What looks on (rows, evaluations, pictures, a profiler) changes no bit of what is
trained, whenever and however often it happens.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax

from seg_jax.checkpoints import Checkpointer
from seg_jax.logs.writer import Picture, Writer
from seg_jax.train.clock import Clock
from seg_jax.train.diverged import Evidence, refuse
from seg_jax.train.loss_watch import Fault, LossWatch
from seg_jax.train.profile import Profiler
from seg_jax.train.progress import Progress, StoppedError, Timing
from seg_jax.train.state import TrainState
from seg_jax.train.teller import Teller

STEPS_AHEAD = 2
"""Steps that may be under way at a time. The device is never without work, and no more batches
wait in its memory than that."""


@dataclasses.dataclass(frozen=True)
class Evaluations:
    """Evaluations during training.

    Attributes:
        every: steps between two; 0 for none. Not after the last step, whose state the caller
            evaluates in full.
        run: state -> scores by name.
        metric: the score that decides which checkpoints are the best.
    """

    every: int
    run: Callable[[TrainState], Mapping[str, float]]
    metric: str = "miou"


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Pictures of predictions during training.

    Attributes:
        every: steps between two sets; 0 for none.
        draw: state -> pictures by name.
    """

    every: int
    draw: Callable[[TrainState], Mapping[str, Picture]]


def train(
    step_fn: Callable[[TrainState, Mapping[str, Any]], tuple[TrainState, dict[str, jax.Array]]],
    state: TrainState,
    batches: Iterator[Mapping[str, Any]],
    checkpointer: Checkpointer,
    log: Writer,
    *,
    num_steps: int,
    batch_size: int,
    log_every: int,
    checkpoint_every: int,
    on_progress: Callable[[Progress], None],
    stop_requested: Callable[[], bool],
    history: Sequence[Mapping[str, Any]] = (),
    evaluations: Evaluations | None = None,
    pictures: Pictures | None = None,
    evidence: Evidence | None = None,
    profiler: Profiler | None = None,
) -> tuple[TrainState, Timing]:
    """Trains from `state.step` to `num_steps` and saves the last state.

    Args:
        step_fn: the mapped train step; it places the host's batch explicitly.
        state: where to start; the step is the data stream's position, too.
        batches: stream whose first batch is the one of step `state.step`; "id", the names of
            its examples, is left out of what the step is given.
        checkpointer: receives the state every `checkpoint_every` steps, before every evaluation
            and at the end; never that of a bad step.
        log: receives a row every `log_every` steps, at the start and at the end.
        num_steps: step to end at.
        batch_size: of the global batch.
        log_every: steps between two rows; at each, the losses of all steps are looked at.
        checkpoint_every: steps between two checkpoints.
        on_progress: called after every row.
        stop_requested: asked after every step.
        history: rows of the log up to the start.
        evaluations: what to evaluate, and when.
        pictures: what to draw, and when.
        evidence: keeps the batch of a bad step.
        profiler: traces some steps.

    Raises:
        DivergedError: a loss is no finite number or has exploded.
        StoppedError: `stop_requested` said so; the state of that step is saved.
    """
    start = step = int(jax.device_get(state.step))
    watch = LossWatch(_regular_losses(history, log_every))
    clock = Clock(start, batch_size=batch_size)
    every = evaluations.every if evaluations else 0
    teller = Teller(log, on_progress, clock, num_steps=num_steps, evaluate_every=every)

    def evaluates_at(step: int) -> bool:
        return 0 < step < num_steps and _due(step, every)

    def draws_at(step: int) -> bool:
        return pictures is not None and _due(step, pictures.every)

    def look() -> Mapping[str, float]:
        """Returns the numbers of the last step, once every step so far is known to be good."""
        found = watch.read()
        if isinstance(found, Fault):
            log.write(found.step, found.scalars)
            refuse(found, evidence)
        return found

    def look_on(*, evaluate: bool, draw: bool) -> None:
        if evaluations and evaluate:
            with clock.pausing():
                scores = evaluations.run(state)
            if evaluations.metric in scores:
                # Before the row: a row says that nothing of this evaluation is missing.
                checkpointer.set_metric(step, scores[evaluations.metric])
            teller.tell_scores(step, scores)
        if pictures and draw:
            with clock.pausing():
                log.draw(step, pictures.draw(state))

    evaluated = {row["step"] for row in history if evaluations and evaluations.metric in row}
    if start < num_steps and start not in evaluated and evaluates_at(start):
        # The process before was stopped between saving the state and the end of its evaluation.
        look_on(evaluate=True, draw=draws_at(start))
    while step < num_steps:
        if profiler:
            profiler.before(step + 1)
        with clock.waiting():
            batch = {name: x for name, x in next(batches).items() if name != "id"}
        # Whatever moves between host and device unasked would make every step wait.
        with jax.transfer_guard("disallow"):
            state, scalars = step_fn(state, batch)
        step += 1
        watch.add(step, scalars)
        if profiler:
            profiler.after(step, scalars)
        if step == start + 1:
            jax.block_until_ready(state)
            clock.compiled()
        watch.wait_for_all_but(STEPS_AHEAD)
        if _is_regular(step, log_every) or step in (start + 1, num_steps):
            row = look()
            if _is_regular(step, log_every):
                watch.add_row(row["loss"])
            teller.tell_row(step, row)
        stopping = stop_requested()
        evaluating = evaluates_at(step)
        if evaluating or stopping or step == num_steps or _due(step, checkpoint_every):
            look()
            checkpointer.save(step, state)
        if stopping and step < num_steps:
            checkpointer.wait()
            raise StoppedError(f"Stopped at step {step} of {num_steps}; the state is saved.")
        look_on(evaluate=evaluating, draw=draws_at(step))
    checkpointer.wait()
    return state, clock.timing(step)


def _due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0


def _is_regular(step: int, log_every: int) -> bool:
    """Tells whether an uninterrupted run has a row of this step, its last one aside."""
    return step == 1 or step % log_every == 0


def _regular_losses(history: Sequence[Mapping[str, Any]], log_every: int) -> list[float]:
    rows = (row for row in history if _is_regular(row["step"], log_every))
    return [row["loss"] for row in rows if row.get("loss") is not None]
