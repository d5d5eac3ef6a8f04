"""Every draw has its distribution, and none depends on another."""

import numpy as np
import pytest

from seg_jax.data.augment.draws import draw

DRAWS = [draw(np.random.default_rng(seed)) for seed in range(2000)]
TABLE = {
    name: np.array([getattr(draws, name) for draws in DRAWS]).reshape(len(DRAWS), -1)
    for name in DRAWS[0]._fields
}


@pytest.mark.parametrize("name", sorted(TABLE))
def test_a_draw_has_its_mean_and_spread(name):
    mean, variance = {"vectors": (0, 1), "angle": (0, 1 / 3)}.get(name, (0.5, 1 / 12))
    # Five standard errors of 2000 draws.
    np.testing.assert_allclose(TABLE[name].mean(0), mean, atol=5 * (variance / 2000) ** 0.5)
    np.testing.assert_allclose(TABLE[name].var(0), variance, rtol=0.2)


def test_no_two_draws_go_together():
    columns = np.concatenate(list(TABLE.values()), axis=1)
    assert columns.shape[1] == 6 + 2 * 11 + 18  # 11 positions of the crop, the 3 x 3 grid twice
    correlation = np.corrcoef(columns.T) - np.eye(columns.shape[1])
    assert np.abs(correlation).max() < 5 / 2000**0.5


def test_all_are_drawn_each_time():
    rng = np.random.default_rng(0)
    first, second = draw(rng), draw(rng)
    assert first.scale != second.scale
    state = rng.bit_generator.state
    again = np.random.default_rng(0)
    draw(again), draw(again)
    assert again.bit_generator.state == state
