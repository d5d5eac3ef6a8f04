"""`evaluations.jsonl` of a trial: one row for every question that it was evaluated with.

Rows are added and never changed. The counters of a row's images lie in a file of records named
after it, which is written first: a row that is there has its records. Imports no jax.
"""

import datetime
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seg_jax.evaluate.records import Records, write_records

ROWS_FILE = "evaluations.jsonl"
RECORDS_FOLDER = "evaluations"


def add_row(
    workdir: Path, key: str, asked: Mapping[str, Any], row: Mapping[str, Any], records: Records
) -> dict[str, Any]:
    """Adds a row and its records to a trial, and returns the row as written.

    Args:
        workdir: the trial's folder.
        key: names the question.
        asked: the question, as JSON values.
        row: the answer, as JSON values.
        records: the counters of every image.
    """
    name = f"{RECORDS_FOLDER}/{key}.npz"
    (workdir / RECORDS_FOLDER).mkdir(exist_ok=True)
    write_records(workdir / name, records.ids, records.counters)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    line = {"key": key, "time": now, "asked": dict(asked), **row, "records": name}
    text = json.dumps(line, allow_nan=False)
    path = workdir / ROWS_FILE
    # A row that a killed process left unfinished must not swallow this one.
    torn = path.exists() and not path.read_bytes().endswith(b"\n") and path.stat().st_size > 0
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" * torn + text + "\n")
        file.flush()
        os.fsync(file.fileno())
    return line


def read_rows(workdir: Path) -> dict[str, dict[str, Any]]:
    """Returns the rows of a trial by key, in the order in which their questions were asked.

    Lines that hold no row, as a process killed while writing leaves one, are left out with a
    warning. A question that had to be answered again has its last answer.
    """
    path = workdir / ROWS_FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = {}
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            rows[str(row["key"])] = row
        except (ValueError, KeyError, TypeError):
            logging.warning("Line %d of %s holds no evaluation; it is left out.", number, path)
    return rows
