"""The end of a run whose loss is lost: what is kept of it, and what is said."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from seg_jax.logs.pictures import Palette, contact_sheet, label_row, write_png
from seg_jax.train.loss_watch import Fault

ARRAYS_FILE = "diverged.npz"
SHEET_FILE = "diverged.png"
_NAMED = 6
"""Examples that a message names; the others are in the file."""


class DivergedError(RuntimeError):
    """The loss is not a number any more, or has exploded."""


@dataclasses.dataclass(frozen=True)
class Evidence:
    """Makes the batch of a bad step again and keeps it.

    Attributes:
        folder: of the trial.
        palette: colour of every class.
        batch_of: number of steps taken before -> the batch that the next step takes, on the
            host, "id" included. Batches are functions of the step, so that none need be kept.
    """

    folder: Path
    palette: Palette
    batch_of: Callable[[int], Mapping[str, Any]]

    def keep(self, fault: Fault) -> str:
        """Writes ARRAYS_FILE and SHEET_FILE, and returns the sentence that says so."""
        try:
            batch = self.batch_of(fault.step - 1)
            ids = [str(name) for name in batch["id"]]
            arrays = {name: np.asarray(x) for name, x in batch.items() if name != "id"}
            np.savez_compressed(
                self.folder / ARRAYS_FILE,
                allow_pickle=False,
                **arrays,
                id=np.array(ids, str),
                step=np.array(fault.step),
            )
            rows = zip(ids, arrays["image"], arrays["label"], strict=True)
            pictures = [(name, label_row(x, y, self.palette)) for name, x, y in rows]
            write_png(self.folder / SHEET_FILE, contact_sheet(pictures))
        except (OSError, RuntimeError, ValueError) as error:
            # What went wrong first must be told, whatever goes wrong now.
            return f"Its batch could not be kept ({' '.join(str(error).split())[:200]})."
        return f"Its batch ({_listed(ids)}) is in {self.folder / ARRAYS_FILE} and {SHEET_FILE}."


def refuse(fault: Fault, evidence: Evidence | None) -> NoReturn:
    """Ends the run.

    Raises:
        DivergedError: always; the message says what was wrong and what to try.
    """
    numbers = ", ".join(
        f"{name.replace('_', ' ')} {fault.scalars[name]:.3g}"
        for name in ("learning_rate", "loss", "grad_norm")
        if name in fault.scalars
    )
    if fault.step == 1:
        # Nothing has been learnt yet: no rate is to blame.
        advice = (
            "Look at its labels, and examine the dataset with `python launch.py doctor`; initial "
            "weights of another network do it, too."
        )
    else:
        advice = (
            "Lower config.schedule.base_lr, raise config.schedule.warmup_steps or set "
            "config.optimizer.clip_norm; if a label of the batch looks wrong, run `python "
            "launch.py doctor`."
        )
    kept = evidence.keep(fault) + " " if evidence else ""
    raise DivergedError(
        f"{fault.what} at step {fault.step} ({numbers}). {kept}{advice} The checkpoints from "
        "before it are kept."
    )


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
