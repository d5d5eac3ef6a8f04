"""Rows are added, never changed, and survive a writer that was killed."""

import json

import numpy as np
import pytest

from seg_jax.evaluate.records import Records, read_records
from seg_jax.evaluate.rows import ROWS_FILE, add_row, read_rows

RECORDS = Records(("a", "b"), {"confusion": np.ones((2, 3, 3), np.int64)})


def add(folder, key, miou):
    return add_row(folder, key, {"step": 3}, {"metrics": {"miou": miou}}, RECORDS)


def test_rows_come_back_in_order_with_their_records(tmp_path):
    assert read_rows(tmp_path) == {}
    first = add(tmp_path, "f00", 0.5)
    before = (tmp_path / ROWS_FILE).read_text()
    second = add(tmp_path, "a11", 0.25)
    assert (tmp_path / ROWS_FILE).read_text().startswith(before)
    assert read_rows(tmp_path) == {"f00": first, "a11": second}
    assert list(read_rows(tmp_path)) == ["f00", "a11"]
    assert first["asked"] == {"step": 3}
    assert first["metrics"] == {"miou": 0.5}
    assert first["time"].endswith("+00:00")
    assert first["records"] == "evaluations/f00.npz"
    assert read_records(tmp_path / first["records"]).ids == RECORDS.ids


def test_one_object_a_line(tmp_path):
    add(tmp_path, "f00", 0.5)
    add(tmp_path, "a11", 0.25)
    lines = (tmp_path / ROWS_FILE).read_text().splitlines()
    assert [json.loads(line)["key"] for line in lines] == ["f00", "a11"]


def test_a_torn_row_is_left_out_and_swallows_no_other(tmp_path, caplog):
    add(tmp_path, "f00", 0.5)
    with (tmp_path / ROWS_FILE).open("a") as file:
        file.write('{"key": "torn", "ti')
    assert list(read_rows(tmp_path)) == ["f00"]
    assert "Line 2 of" in caplog.text
    add(tmp_path, "a11", 0.25)
    assert list(read_rows(tmp_path)) == ["f00", "a11"]


def test_other_json_is_no_row(tmp_path):
    (tmp_path / ROWS_FILE).write_text('[1]\n3\n{"time": 1}\n')
    assert read_rows(tmp_path) == {}


def test_the_last_answer_counts(tmp_path):
    add(tmp_path, "f00", 0.5)
    add(tmp_path, "f00", 0.75)
    assert read_rows(tmp_path)["f00"]["metrics"] == {"miou": 0.75}


def test_a_row_never_precedes_its_records(tmp_path):
    twice = Records(("a", "a"), RECORDS.counters)
    with pytest.raises(ValueError, match="evaluated twice"):
        add_row(tmp_path, "f00", {}, {}, twice)
    assert not (tmp_path / ROWS_FILE).exists()


def test_what_json_cannot_hold_is_no_row(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        add(tmp_path, "f00", float("nan"))
    assert read_rows(tmp_path) == {}
