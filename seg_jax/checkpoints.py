"""Checkpoints that are whole or not there: Orbax writes them, a SHA-256 manifest vouches.

Orbax commits a step atomically, so a kill never leaves half of one; but it restores a step
with a flipped bit without a word. The manifest, written once a step is committed, holds the
hash of every file. A step that does not match it, or has none, is put aside and the newest
valid one is used.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from absl import logging

MANIFEST = "sha256.json"


class CheckpointError(RuntimeError):
    """A checkpoint that could not be written or read; the message says what to do."""


class Checkpointer:
    """Saves pytrees by step, in the background, and restores the newest valid one.

    Use as a context manager, or call `wait`: the manifest of a step is written when the next
    save begins or at the end, and a step without one counts as not saved.
    """

    def __init__(self, directory: str | os.PathLike, *, keep: int = 2):
        """Opens or creates `directory`, putting aside whatever in it is damaged.

        Args:
            directory: holds one folder a step.
            keep: number of newest steps that stay; at least 2, so that there is one to
                fall back to.
        """
        self._directory = Path(directory).absolute()
        self._directory.mkdir(parents=True, exist_ok=True)
        _set_damaged_aside(self._directory)
        self._manager = ocp.CheckpointManager(
            self._directory,
            options=ocp.CheckpointManagerOptions(max_to_keep=keep, create=False),
        )

    def __enter__(self) -> "Checkpointer":
        return self

    def __exit__(self, kind, value, traceback) -> None:
        try:
            self.wait()
        finally:
            self._manager.close()

    def save(self, step: int, tree: Any) -> None:
        """Starts writing `tree` as `step`; returns once it is copied off the devices.

        Raises:
            CheckpointError: this or the previous save failed; earlier steps are untouched.
        """
        self.wait()
        try:
            self._manager.save(step, args=ocp.args.StandardSave(tree))
        except Exception as error:
            raise self._failed(error) from error

    def wait(self) -> None:
        """Blocks until every save so far is on disk and vouched for.

        Raises:
            CheckpointError: a save failed; earlier steps are untouched.
        """
        try:
            self._manager.wait_until_finished()
            for step in _steps(self._directory):
                if not (step / MANIFEST).exists():
                    _write_manifest(step)
        except Exception as error:
            raise self._failed(error) from error

    def restore(self, tree: Any) -> Any | None:
        """Returns the newest valid checkpoint in the form of `tree`; None when there is none.

        Args:
            tree: arrays with the shapes, dtypes and shardings to restore into.

        Raises:
            CheckpointError: the newest checkpoint belongs to another network or optimiser.
        """
        steps = _steps(self._directory)
        if not steps:
            return None
        newest = int(steps[-1].name)
        abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, tree)
        try:
            return self._manager.restore(newest, args=ocp.args.StandardRestore(abstract))
        except (ValueError, KeyError, TypeError) as error:
            reason = " ".join(str(error).split())[:300]
            raise CheckpointError(
                f"{steps[-1]} holds another network or optimiser than the config describes "
                f"({reason}). Use the config it was trained with, or another --workdir."
            ) from error

    def _failed(self, error: Exception) -> CheckpointError:
        steps = [int(step.name) for step in _steps(self._directory) if (step / MANIFEST).exists()]
        newest = f"step {steps[-1]}" if steps else "the start"
        reason = " ".join(str(error).split())[:300]
        return CheckpointError(
            f"A checkpoint could not be written to {self._directory} ({reason}). Free some "
            f"space and run the same command again; it continues from {newest}."
        )


def verify(step: Path) -> str | None:
    """Returns what is wrong with the checkpoint in folder `step`; None when it is whole."""
    try:
        expected = json.loads((step / MANIFEST).read_text())
    except (OSError, ValueError):
        return f"{MANIFEST} is not readable"
    actual = _hashes(step)
    for name in sorted(expected.keys() | actual.keys()):
        if name not in actual:
            return f"{name} is missing"
        if expected.get(name) != actual[name]:
            return f"{name} is not what was written"
    return None


def _steps(directory: Path) -> list[Path]:
    """Returns the folders of the committed steps, oldest first."""
    folders = [path for path in directory.iterdir() if path.is_dir() and path.name.isdigit()]
    return sorted(folders, key=lambda path: int(path.name))


def _set_damaged_aside(directory: Path) -> None:
    """Makes every remaining step a valid one, so that a later save of it is not refused.

    A step without a manifest was cut off before it was complete and is removed: the run
    computes it again to the same bits. A step that changed after it was complete is kept
    under another name, since only a person can tell why.
    """
    for step in _steps(directory):
        if not (step / MANIFEST).exists():
            logging.info("Removing checkpoint %s: the process ended while writing it.", step)
            shutil.rmtree(step)
            continue
        fault = verify(step)
        if fault:
            number = 1
            while (aside := step.with_name(f"{step.name}.damaged-{number}")).exists():
                number += 1
            step.rename(aside)
            logging.warning("Checkpoint %s is not used: %s. Kept as %s.", step, fault, aside.name)


def _hashes(step: Path) -> dict[str, str]:
    """Returns the SHA-256 of every file of a step by its path inside the folder."""
    files = (path for path in step.rglob("*") if path.is_file() and path.name != MANIFEST)
    result = {}
    for path in files:
        with path.open("rb") as file:
            result[path.relative_to(step).as_posix()] = hashlib.file_digest(
                file, "sha256"
            ).hexdigest()
    return result


def _write_manifest(step: Path) -> None:
    """Writes the manifest and makes sure it is on disk before anyone relies on it."""
    temporary = step / f"{MANIFEST}.tmp"
    hashes = _hashes(step)
    with temporary.open("w") as file:
        json.dump(hashes, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(step / MANIFEST)
