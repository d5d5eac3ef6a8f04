"""Files that are whole or not there, whenever the process ends. Imports no jax."""

import json
import os
from pathlib import Path
from typing import Any


def write_text(path: Path, text: str) -> None:
    """Replaces `path` in one move, after the new content is on disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Replaces `path` by `value` as JSON; NaN is refused, since other readers refuse it."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")
