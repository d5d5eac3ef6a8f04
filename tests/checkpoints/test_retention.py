"""Which steps stay; metrics that are kept on disk and vouch for themselves."""

import pytest

from seg_jax.checkpoints.retention import (
    METRIC,
    best_first,
    read_metric,
    steps_to_keep,
    write_metric,
)

METRICS = {10: 0.5, 20: 0.9, 30: None, 40: 0.9, 50: 0.1, 60: None}


@pytest.mark.parametrize(
    ("last", "every", "best", "expected"),
    [
        (2, 0, 0, {50, 60}),
        (2, 20, 0, {20, 40, 50, 60}),
        (2, 0, 1, {40, 50, 60}),  # of 20 and 40, which are equal, the later one
        (2, 0, 3, {10, 20, 40, 50, 60}),
        (2, 30, 1, {30, 40, 50, 60}),
        (9, 0, 0, set(METRICS)),
    ],
)
def test_the_last_the_permanent_and_the_best_stay(last, every, best, expected):
    assert steps_to_keep(METRICS, last=last, every=every, best=best) == expected


def test_higher_is_better_and_of_equals_the_later():
    assert best_first(METRICS) == [40, 20, 10, 50]
    assert best_first({1: None}) == []


@pytest.mark.parametrize("metric", [0.1 + 0.2, 0.0, 1.0, -3.5])
def test_a_metric_comes_back_to_the_bit(tmp_path, metric):
    write_metric(tmp_path, metric)
    assert read_metric(tmp_path) == metric


def test_nan_is_no_metric(tmp_path):
    write_metric(tmp_path, float("nan"))
    assert read_metric(tmp_path) is None
    assert not (tmp_path / METRIC).exists()


def test_no_bit_of_a_metric_can_change_unseen(tmp_path, caplog):
    write_metric(tmp_path, 0.53125)
    whole = (tmp_path / METRIC).read_bytes()
    for position in range(len(whole)):
        for bit in range(8):
            data = bytearray(whole)
            data[position] ^= 1 << bit
            (tmp_path / METRIC).write_bytes(data)
            assert read_metric(tmp_path) in (None, 0.53125)
    assert f"{tmp_path / METRIC} is not what was written" in caplog.text
