"""Which checkpoint is restored: the newest, the best or a given one, if it is as written."""

from pathlib import Path
from typing import Literal

import jax
import numpy as np
from jax.experimental import multihost_utils

from seg_jax.checkpoints.errors import CheckpointError
from seg_jax.checkpoints.folder import find_steps, set_aside
from seg_jax.checkpoints.manifest import find_fault
from seg_jax.checkpoints.retention import best_first, read_metric

_NONE, _REFUSED = -1, -2


def agree_on(directory: Path, wanted: int | Literal["best"] | None) -> int | None:
    """Returns what `choose` returns in the first process; all processes have to ask.

    Raises:
        CheckpointError: `choose` refuses.
    """
    if jax.process_count() == 1:
        return choose(directory, wanted)
    refusal = CheckpointError("No checkpoint is restored; the first process says why.")
    chosen = _NONE
    if jax.process_index() == 0:
        try:
            found = choose(directory, wanted)
            chosen = _NONE if found is None else found
        except CheckpointError as error:
            refusal, chosen = error, _REFUSED
    with jax.transfer_guard("allow"):  # a guard around training does not mean this
        chosen = int(multihost_utils.broadcast_one_to_all(np.int32(chosen)))
    if chosen == _REFUSED:
        raise refusal
    return None if chosen == _NONE else chosen


def meet() -> None:
    """Returns once every process has come to the end of a save."""
    if jax.process_count() > 1:
        with jax.transfer_guard("allow"):
            multihost_utils.sync_global_devices("checkpoint")


def choose(directory: Path, wanted: int | Literal["best"] | None) -> int | None:
    """Returns a step that is as written; damaged ones in its way are put aside.

    Args:
        directory: the folder of checkpoints.
        wanted: a step; "best" for that with the highest metric; None for the newest, which may
            not exist.

    Raises:
        CheckpointError: the step is not there or damaged; no whole one has a metric.
    """
    folders = find_steps(directory)
    if wanted is None:
        candidates = [*reversed(folders)]
    elif wanted == "best":
        candidates = best_first({step: read_metric(path) for step, path in folders.items()})
    elif wanted in folders:
        candidates = [wanted]
    else:
        raise CheckpointError(f"{directory} holds no step {wanted}. {_others(directory)}")
    for step in candidates:
        fault = find_fault(folders[step])
        if not fault:
            return step
        set_aside(folders[step], fault)
    if wanted is None:
        return None
    missing = "No whole step has a metric" if wanted == "best" else f"Step {wanted} is damaged"
    raise CheckpointError(f"{missing} in {directory}. {_others(directory)}")


def _others(directory: Path) -> str:
    steps = ", ".join(map(str, find_steps(directory)))
    return f"Take one of {steps}." if steps else "There is no other."
