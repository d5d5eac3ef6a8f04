"""The SHA-256 of every file of a checkpoint, without which Orbax restores a flipped bit.

A manifest is the last file written into a checkpoint and never changes. It vouches for itself and
the files that it names; others, such as what a file browser leaves behind, are of no account.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seg_jax.files import JSONFileError, read_json, write_json

MANIFEST = "sha256.json"


def write_manifest(step: Path) -> None:
    """Writes the manifest of the folder `step`, all of whose content reaches the disk before it."""
    paths = sorted(path for path in step.rglob("*") if path.is_file())
    hashes = {path.relative_to(step).as_posix(): _hash(path, sync=True) for path in paths}
    for folder in sorted({path.parent for path in paths}):
        sync_folder(folder)
    write_json(step / MANIFEST, {**hashes, MANIFEST: _seal(hashes)})
    sync_folder(step)


def find_fault(step: Path) -> str | None:
    """Returns which file of the folder `step` is bad, and how; None when it is as written."""
    try:
        expected = read_json(step / MANIFEST)
    except FileNotFoundError:
        return f"{MANIFEST} is missing"
    except (OSError, JSONFileError):
        return f"{MANIFEST} is not readable"
    if not expected:
        return f"{MANIFEST} names no file"
    # Without it, a flipped bit in the manifest would be blamed on the file it speaks of.
    seal = expected.pop(MANIFEST, None)
    if seal and seal != _seal(expected):
        return f"{MANIFEST} is not what was written"
    for name, value in expected.items():
        try:
            if _hash(step / name) != value:
                return f"{name} is not what was written"
        except FileNotFoundError:
            return f"{name} is missing"
        except OSError as error:
            return f"{name} cannot be read ({error.strerror})"
    return None


def sync_folder(folder: Path) -> None:
    """Makes the names in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _seal(hashes: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()


def _hash(path: Path, *, sync: bool = False) -> str:
    with path.open("rb") as file:
        if sync:
            os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()
