"""Where the time went, by a clock that the test moves."""

import math

import pytest

from seg_jax.train import clock
from seg_jax.train.clock import Clock


@pytest.fixture
def spend(monkeypatch):
    """Lets seconds pass."""
    now = [100.0]
    monkeypatch.setattr(clock.time, "perf_counter", lambda: now[0])

    def spend(seconds):
        now[0] += seconds

    return spend


def test_speed_and_waiting_are_of_the_steps_since_the_last_reading(spend):
    watch = Clock(20, batch_size=8)
    with watch.waiting():
        spend(5)
    spend(30)
    watch.compiled()
    assert watch.read(21).images_per_second == 0
    assert math.isnan(watch.read(21).seconds_per_step)
    for _ in range(4):
        with watch.waiting():
            spend(0.4)
        spend(0.6)
    assert watch.read(25) == pytest.approx((8.0, 0.4, 1.0))
    spend(1)
    assert watch.read(26) == pytest.approx((8.0, 0.0, 1.0))
    timing = watch.timing(26)
    assert (timing.compile_seconds, timing.train_seconds) == (35.0, 5.0)
    assert timing.images_per_second == 8.0


def test_pauses_count_for_nothing(spend):
    watch = Clock(0, batch_size=2)
    with watch.pausing():
        spend(50)
    spend(3)
    watch.compiled()
    spend(1)
    with watch.pausing():
        spend(70)
    spend(1)
    assert watch.pause_seconds == 70
    assert watch.read(3) == pytest.approx((2.0, 0.0, 1.0))
    assert (watch.timing(3).compile_seconds, watch.timing(3).train_seconds) == (3.0, 2.0)


def test_a_run_without_steps_has_no_speed(spend):
    assert Clock(7, batch_size=2).timing(7).images_per_second == 0.0
