"""JSON files that are whole at every instant, whoever is killed while writing them."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class JSONFileError(ValueError):
    """A file that does not hold one JSON object; the message says why."""


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replaces `path` by `value` atomically: a reader sees the old object or the new one.

    The content reaches the disk before the name does, so not even a power cut leaves an empty
    file behind.

    Raises:
        ValueError: `value` holds NaN or an infinity, which JSON does not have.
    """
    text = json.dumps(value, indent=2, allow_nan=False) + "\n"
    # Named by process: a leftover of a killed writer is never half of somebody else's file.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Reads a file that holds one JSON object.

    Raises:
        FileNotFoundError: there is no such file.
        JSONFileError: the file holds something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise JSONFileError(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise JSONFileError(f"{path} holds a JSON {type(value).__name__}, not an object")
    return value
