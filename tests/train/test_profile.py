"""Traces of some steps."""

import logging

import jax
import jax.numpy as jnp
import pytest

from seg_jax.train.profile import Profiler


@pytest.fixture
def calls(monkeypatch):
    """Starts and stops of the profiler, by the step that was taken last."""
    found = []
    monkeypatch.setattr(jax.profiler, "start_trace", lambda folder: found.append("start"))
    monkeypatch.setattr(jax.profiler, "stop_trace", lambda: found.append("stop"))
    return found


def run(profiler, calls, start, end):
    with profiler:
        for step in range(start + 1, end + 1):
            profiler.before(step)
            calls.append(step)
            profiler.after(step, jnp.zeros(()))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 6, [1, 2, "start", 3, 4, "stop", 5, 6]),
        # Resumed amid the steps, after them, and ended amid them.
        (3, 5, ["start", 4, "stop", 5]),
        (4, 6, [5, 6]),
        (1, 3, [2, "start", 3, "stop"]),
    ],
)
def test_the_steps_asked_for_are_traced(tmp_path, calls, start, end, expected):
    run(Profiler(tmp_path, (3, 4)), calls, start, end)
    assert calls == expected


def test_nothing_is_traced_unasked(tmp_path, calls):
    run(Profiler(tmp_path, ()), calls, 0, 3)
    assert calls == [1, 2, 3]


def test_an_error_ends_the_trace(tmp_path, calls):
    def fails(profiler):
        with profiler:
            profiler.before(1)
            raise ValueError("amid")

    with pytest.raises(ValueError, match="amid"):
        fails(Profiler(tmp_path, (1, 9)))
    assert calls == ["start", "stop"]


def test_a_trace_is_written_and_it_is_said_how_to_open_it(tmp_path, caplog):
    square = jax.jit(lambda x: x @ x)
    x = jnp.ones((8, 8))
    with caplog.at_level(logging.INFO), Profiler(tmp_path / "profile", (2, 2)) as profiler:
        for step in (1, 2, 3):
            profiler.before(step)
            profiler.after(step, square(x))
    assert len(list((tmp_path / "profile").rglob("*.xplane.pb"))) == 1
    assert f"xprof --logdir={tmp_path / 'profile'}" in caplog.text
