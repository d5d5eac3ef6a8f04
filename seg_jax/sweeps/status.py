"""`status.json`: how far a trial is, written by the trial and read by everybody else.

The trial's own process writes it while it runs; the executor only before and after.
"""

import dataclasses
import datetime
import math
from pathlib import Path
from typing import Any, Literal, get_args

from seg_jax.files import JSONFileError, read_json, write_json

STATUS_FILE = "status.json"
RESULT_FILE = "result.json"

State = Literal["pending", "running", "done", "failed", "interrupted"]
Phase = Literal["starting", "compiling", "training", "evaluating"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Status:
    """How far a trial is.

    Attributes:
        state: what became of it; only "done" is never run again.
        phase: what a running trial is busy with.
        step: training steps taken.
        num_steps: training steps to take, 0 while unknown.
        loss: the last training loss; None before the first and where it is not finite.
        images_per_second: training speed; None while unknown.
        seconds_left: estimated time to the end of the trial; None while unknown.
        attempt: processes started for it by the present sweep; 0 for none.
        error: one line on what went wrong last, "" where nothing did.
        updated: when this was written, ISO 8601 in UTC, "" where it never was.
    """

    state: State = "pending"
    phase: Phase = "starting"
    step: int = 0
    num_steps: int = 0
    loss: float | None = None
    images_per_second: float | None = None
    seconds_left: float | None = None
    attempt: int = 0
    error: str = ""
    updated: str = ""


def write_status(directory: Path, status: Status) -> None:
    """Writes a trial's status atomically, stamped with the present time.

    Numbers that are not finite are written as null.

    Args:
        directory: the trial's folder.
        status: what to write; its `updated` is ignored.
    """
    values = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in dataclasses.asdict(status).items()
    }
    values["updated"] = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    write_json(directory / STATUS_FILE, values)


def read_status(directory: Path) -> Status:
    """Reads a trial's status; an absent or unreadable one is "pending".

    A damaged status loses only what the next process of the trial writes anyway, so it is
    reported in `error` and not raised.
    """
    path = directory / STATUS_FILE
    try:
        values = read_json(path)
        return Status(**{name: check(values, name) for name, check in _CHECKS.items()})
    except FileNotFoundError:
        return Status()
    except (JSONFileError, OSError) as error:
        return Status(error=str(error))


def is_done(directory: Path) -> bool:
    """Tells whether a trial is finished: its status says so, and its result is there."""
    return read_status(directory).state == "done" and (directory / RESULT_FILE).is_file()


def _one_of(*allowed: Any):
    def check(values: dict[str, Any], name: str) -> Any:
        value = values.get(name, allowed[0])
        if value not in allowed:
            raise JSONFileError(f"{STATUS_FILE} has {name}={value!r}, not one of {allowed}")
        return value

    return check


def _of_type(default: Any, *types: type):
    def check(values: dict[str, Any], name: str) -> Any:
        value = values.get(name, default)
        if type(value) not in types:
            raise JSONFileError(f"{STATUS_FILE} has {name}={value!r} of the wrong type")
        return value

    return check


def _number(values: dict[str, Any], name: str) -> float | None:
    value = _of_type(None, float, int, type(None))(values, name)
    return None if value is None else float(value)


_count = _of_type(0, int)
_text = _of_type("", str)
_CHECKS = {
    "state": _one_of(*get_args(State)),
    "phase": _one_of(*get_args(Phase)),
    "step": _count,
    "num_steps": _count,
    "loss": _number,
    "images_per_second": _number,
    "seconds_left": _number,
    "attempt": _count,
    "error": _text,
    "updated": _text,
}
