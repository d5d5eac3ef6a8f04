"""Tiles are dealt out to devices, each once; lines are resampled as OpenCV does."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_jax.data.pipeline.eval_batch import Rows, between
from seg_jax.data.pipeline.frames import Framing

FRAMING = Framing(window="sliding", window_size=(10, 10), window_stride=(5, 5))


@pytest.mark.parametrize(("devices", "processes"), [(1, 1), (2, 1), (4, 2), (4, 4)])
def test_every_tile_is_used_once_on_the_device_of_its_image(devices, processes):
    plans = [FRAMING.plan(size) for size in [(10, 10), (10, 40), (23, 31), (12, 9), (5, 5)]]
    parts = [Rows(plans, 8, devices, index, processes) for index in range(processes)]
    assert sorted(member for part in parts for member in part.members) == list(range(5))
    row_of = {
        member: local + index * 8 // processes
        for index, part in enumerate(parts)
        for member, local in zip(part.members, part.local, strict=True)
    }
    # Dealt out in turn: with four devices two of the five images meet on one of them.
    per_device = np.bincount([row * devices // 8 for row in row_of.values()], minlength=devices)
    assert per_device.max() - per_device.min() <= 1
    passes = [part.passes(0) for part in parts]
    assert len({len(some) for some in passes}) == 1
    seen = []
    for some in zip(*passes, strict=True):
        slot, origin, used, row = (
            np.concatenate([p[name] for p in some]) for name in ("slot", "origin", "used", "row")
        )
        np.testing.assert_array_equal(row, np.arange(8))
        np.testing.assert_array_equal(slot * devices // 8, row * devices // 8)
        seen += [(s, y, x) for s, (y, x), u in zip(slot, origin, used, strict=True) if u]
    expected = [(row_of[i], y, x) for i, p in enumerate(plans) for y, x in p.views[0].origins]
    assert sorted(seen) == sorted(expected)
    # No pass more than the fullest device needs.
    counts = np.bincount([s * devices // 8 for s, _, _ in seen], minlength=devices)
    assert len(passes[0]) == -(-counts.max() // (8 // devices))


@settings(max_examples=40, deadline=None, database=None)
@given(st.integers(1, 40), st.integers(1, 40))
def test_lines_are_resampled_as_by_opencv(before, after):
    line = np.random.RandomState(before).rand(1, before).astype(np.float32)
    pair, part = between(before, after)
    assert pair.min() >= 0
    assert pair.max() < before
    actual = line[0, pair[:, 0]] * (1 - part) + line[0, pair[:, 1]] * part
    expected = cv2.resize(line, (after, 1), interpolation=cv2.INTER_LINEAR)[0]
    np.testing.assert_allclose(actual, expected, atol=1e-5)
