import os

from seg_jax.cores import count_cores, usable_cores


def test_cores_are_those_that_the_process_is_pinned_to(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5, 2, 3}, raising=False)
    assert usable_cores() == (2, 3, 5)
    assert count_cores() == 3


def test_where_none_can_be_pinned_all_are_counted(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    for reported, counted in ((8, 8), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda reported=reported: reported)
        assert (usable_cores(), count_cores()) == ((), counted)
