"""`metrics.jsonl`: the rows of a run as plain text, from which a resumed run continues."""

import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seg_jax.logs.writer import Picture


class MetricsLog:
    """`metrics.jsonl`: one JSON object a line, in the order of the steps."""

    def __init__(self, path: str | os.PathLike, *, resume_at: int):
        """Opens the log, cutting off the rows after step `resume_at`, which come again."""
        self._path = Path(path)
        self.rows = tuple(row for row in read_metrics(self._path) if row["step"] <= resume_at)
        """The rows that were there and stay."""
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text("".join(json.dumps(row) + "\n" for row in self.rows))
        temporary.rename(self._path)
        earlier = self.rows[-1].get("seconds", 0.0) if self.rows else 0.0
        self._began = time.perf_counter() - earlier

    def write(self, step: int, row: Mapping[str, Any]) -> None:
        """Appends a row; `seconds` is the time spent so far, earlier processes included.

        Numbers that are not finite are written as null: JSON has no others.
        """
        values = {name: value if _is_json(value) else None for name, value in row.items()}
        seconds = round(time.perf_counter() - self._began, 3)
        with self._path.open("a") as file:
            file.write(json.dumps({"step": step, **values, "seconds": seconds}) + "\n")

    def draw(self, step: int, pictures: Mapping[str, Picture]) -> None:
        """Keeps no pictures."""

    def close(self) -> None:
        """Has nothing left to write: every row is on its way to the disk at once."""


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


def _is_json(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)
