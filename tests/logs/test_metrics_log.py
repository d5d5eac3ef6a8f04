"""Rows as text: appended, cut off at a resume, read back."""

import json

from seg_jax.logs.metrics_log import MetricsLog, read_metrics


def test_rows_after_the_checkpoint_and_half_a_line_are_written_again(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 4, "loss": 1.0, "seconds": 8.0}\n{"step": 8, "loss": 0.5}\n{"step"')
    log = MetricsLog(path, resume_at=5)
    assert log.rows == ({"step": 4, "loss": 1.0, "seconds": 8.0},)
    log.write(8, {"loss": 0.25})
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(row["step"], row["loss"]) for row in rows] == [(4, 1.0), (8, 0.25)]
    assert rows[1]["seconds"] >= 8.0


def test_the_row_of_the_checkpoint_itself_stays(tmp_path):
    path = tmp_path / "metrics.jsonl"
    MetricsLog(path, resume_at=0).write(8, {"loss": 0.5})
    assert len(MetricsLog(path, resume_at=8).rows) == 1
    assert read_metrics(path)[0]["step"] == 8


def test_numbers_that_json_does_not_have_are_null(tmp_path):
    path = tmp_path / "metrics.jsonl"
    MetricsLog(path, resume_at=0).write(3, {"loss": float("nan"), "grad_norm": float("inf")})

    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    row = json.loads(path.read_text(), parse_constant=refuse)
    assert (row["loss"], row["grad_norm"]) == (None, None)


def test_no_file_no_rows(tmp_path):
    assert read_metrics(tmp_path / "absent.jsonl") == []
