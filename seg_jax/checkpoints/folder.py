"""A folder of checkpoints: one folder a step, each of which appears and goes by one rename.

    12/             a checkpoint, complete when it appeared
    16.saving/      being written; without a writer it was cut off and is removed
    8.deleting/     being removed
    4.damaged-1/    changed after it was complete; kept, since only a person can tell why

A process that is killed leaves at worst a folder under one of the middle names.
"""

import contextlib
import re
import shutil
from pathlib import Path

from absl import logging

from seg_jax.checkpoints.manifest import sync_folder

_LEFTOVER = re.compile(r"\d+\.(saving|deleting|orbax-checkpoint-tmp)")


def find_steps(directory: Path) -> dict[int, Path]:
    """Returns the folder of every step, oldest first; none where there is no `directory`."""
    with contextlib.suppress(FileNotFoundError):
        folders = [path for path in directory.iterdir() if path.name.isdigit() and path.is_dir()]
        return {int(path.name): path for path in sorted(folders, key=lambda path: int(path.name))}
    return {}


def staging(step: Path) -> Path:
    """Returns where the checkpoint `step` is written before it is complete."""
    return step.with_name(f"{step.name}.saving")


def publish(step: Path) -> None:
    """Gives the complete checkpoint its name."""
    staging(step).rename(step)
    sync_folder(step.parent)


def remove(step: Path) -> None:
    """Removes a checkpoint; at no instant is there half of one under its name."""
    doomed = step.with_name(f"{step.name}.deleting")
    step.rename(doomed)
    shutil.rmtree(doomed)


def remove_leftovers(directory: Path) -> None:
    """Removes what killed processes left unfinished; no other process may be writing here."""
    for path in directory.iterdir():
        if _LEFTOVER.match(path.name):
            logging.info("Removing %s: the process ended while it worked on it.", path)
            shutil.rmtree(path)


def set_aside(step: Path, fault: str) -> None:
    """Takes a damaged checkpoint out of the way, and says so."""
    number = 1
    while (aside := step.with_name(f"{step.name}.damaged-{number}")).exists():
        number += 1
    try:
        step.rename(aside)
    except OSError as error:
        kept = f"It stays where it is ({error.strerror})."
    else:
        kept = f"Kept as {aside.name}."
    logging.warning("Checkpoint %s is not used: %s. %s", step, fault, kept)
