"""What is told beside the numbers of a step: memory, scores, and the time that is left."""

import math

import pytest

from seg_jax.logs import MetricsLog, read_metrics
from seg_jax.train import teller
from seg_jax.train.clock import Clock, Speed
from seg_jax.train.progress import DeviceMemory
from seg_jax.train.teller import Teller


class FixedClock(Clock):
    """Steps of two seconds, half of them spent waiting; evaluations of a minute."""

    def __init__(self):
        self.pause_seconds = 60.0

    def read(self, step):
        return Speed(4.0, 0.5, 2.0 if step > 1 else float("nan"))


@pytest.fixture
def tell(tmp_path):
    told = []
    log = MetricsLog(tmp_path / "metrics.jsonl", resume_at=0)

    def build(**fields):
        return Teller(log, told.append, FixedClock(), **fields), told

    return build


SCALARS = {"loss": 1.5, "learning_rate": 0.1, "grad_norm": 3.0}


def test_the_time_left_holds_the_evaluations_to_come(tell):
    one, told = tell(num_steps=100, evaluate_every=20)
    one.tell_row(10, SCALARS)
    one.tell_scores(20, {"miou": 0.25})
    one.tell_row(30, SCALARS)
    one.tell_row(100, SCALARS)
    # Not known before the first one; then 70 steps and those after 40, 60, 80.
    assert [progress.seconds_left for progress in told] == [180.0, 180.0, 140.0 + 180.0, 0.0]
    assert [(p.step, p.scores_step) for p in told] == [(10, 0), (20, 20), (30, 20), (100, 20)]


def test_no_time_is_told_while_no_speed_is_known(tell):
    one, told = tell(num_steps=100, evaluate_every=0)
    one.tell_row(1, SCALARS)
    assert math.isnan(told[0].seconds_left)


def test_rows_hold_speed_waiting_and_the_memory_where_it_is_known(tell, tmp_path, monkeypatch):
    one, told = tell(num_steps=9, evaluate_every=0)
    one.tell_row(2, SCALARS)
    monkeypatch.setattr(teller, "device_memory", lambda: DeviceMemory(10, 30, 80))
    one.tell_row(3, SCALARS)
    first, second = read_metrics(tmp_path / "metrics.jsonl")
    assert first["images_per_second"] == 4.0
    assert first["data_wait"] == 0.5
    assert "device_memory" not in first
    assert second["device_memory"] == 30
    assert told[1].memory == DeviceMemory(10, 30, 80)
