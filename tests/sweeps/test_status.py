import datetime
import json

import pytest

from seg_jax.sweeps.status import Status, is_done, read_status, write_status


def test_absent_is_pending(tmp_path):
    assert read_status(tmp_path) == Status(state="pending")


def test_round_trip_is_stamped(tmp_path):
    status = Status(state="running", phase="training", step=3, num_steps=9, loss=0.5, attempt=2)
    before = datetime.datetime.now(datetime.UTC)
    write_status(tmp_path, status)
    found = read_status(tmp_path)
    stamp = datetime.datetime.fromisoformat(found.updated)
    assert abs((stamp - before).total_seconds()) < 60
    assert found == Status(**{**vars(status), "updated": found.updated})


def test_numbers_that_are_not_finite_become_null(tmp_path):
    write_status(tmp_path, Status(loss=float("nan"), seconds_left=float("inf")))
    assert json.loads((tmp_path / "status.json").read_text())["loss"] is None
    assert read_status(tmp_path).seconds_left is None


@pytest.mark.parametrize(
    "text", ["", '{"state": "run', "[]", '{"state": "sleeping"}', '{"step": "3"}', '{"step": true}']
)
def test_a_damaged_file_is_pending_and_says_why(tmp_path, text):
    (tmp_path / "status.json").write_text(text)
    status = read_status(tmp_path)
    assert status.state == "pending"
    assert "status.json" in status.error


def test_missing_and_unknown_fields_are_tolerated(tmp_path):
    (tmp_path / "status.json").write_text('{"state": "running", "step": 4, "mood": "fine"}')
    assert read_status(tmp_path) == Status(state="running", step=4)


def test_done_takes_a_status_and_a_result(tmp_path):
    write_status(tmp_path, Status(state="done"))
    assert not is_done(tmp_path)
    (tmp_path / "result.json").write_text("{}")
    assert is_done(tmp_path)
    write_status(tmp_path, Status(state="failed"))
    assert not is_done(tmp_path)
