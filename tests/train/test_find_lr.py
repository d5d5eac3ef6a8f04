"""The range test on losses known beforehand: when it ends, what it averages, what it suggests."""

import itertools
import math

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seg_jax.train.find_lr import NoRateError, RangeTest, range_test, smooth, suggest
from seg_jax.train.state import create_state

RATES = np.geomspace(1e-6, 10, 100)


@pytest.fixture
def measure():
    """Runs the test on a list of losses, one a step."""

    def run(losses, num_steps=None, on_step=lambda *_: None):
        def step(state, batch):
            assert batch == state.step  # every batch once, in order
            scalars = {"loss": losses[batch], "learning_rate": RATES[batch]}
            scalars = {name: jnp.float32(value) for name, value in scalars.items()}
            return state.replace(step=state.step + 1), scalars

        state = create_state({"params": {}}, optax.identity(), seed=0)
        num_steps = num_steps or len(losses)
        return range_test(step, state, itertools.count(), num_steps=num_steps, on_step=on_step)

    return run


def _valley(noise=0.0):
    """Loss 3 up to 1e-4, falling fastest at 1e-2, lowest near 0.3, exploding beyond 1."""
    x = np.log10(RATES)
    noise = noise * np.random.RandomState(0).randn(len(x))
    return 3 - 2 / (1 + np.exp(-2.5 * (x + 2))) + np.exp(8 * (x - 0.1)) + noise


def test_the_average_is_that_of_the_losses_so_far():
    weights = 0.9 ** np.arange(4)
    expected = [
        np.average([5.0, 1.0, 2.0, 7.0][: n + 1], weights=weights[: n + 1][::-1]) for n in range(4)
    ]
    np.testing.assert_allclose(smooth(np.array([5.0, 1.0, 2.0, 7.0])), expected, rtol=1e-12)


def test_a_line_is_smoothed_to_itself_not_beside(measure):
    # Without the average of the rates it would lie nine steps to the right.
    losses = 5 - 0.3 * np.log(RATES[:60])
    curve = measure(losses)
    np.testing.assert_allclose(
        curve.smoothed_losses, 5 - 0.3 * np.log(curve.smoothed_rates), rtol=1e-5
    )


def test_every_step_is_told_and_kept(measure):
    told = []
    curve = measure(_valley()[:30], on_step=lambda *step: told.append(step))
    assert [step for step, *_ in told] == list(range(1, 31))
    np.testing.assert_allclose([rate for _, rate, _ in told], curve.rates)
    np.testing.assert_allclose(curve.losses, _valley()[:30], rtol=1e-6)


def test_it_ends_after_so_many_steps(measure):
    assert len(measure(_valley(), num_steps=25).losses) == 25


def test_it_ends_where_the_average_is_four_times_its_lowest(measure):
    losses = [1.0] * 20 + [20.0] * 80
    averages = smooth(np.array(losses))
    first = int(np.argmax(averages > 4 * averages.min()))
    assert first > 20  # a single bad batch does not end it
    assert len(measure(losses).losses) == first + 1


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_it_ends_at_a_loss_that_is_no_number_and_leaves_it_out(measure, bad):
    told = []
    curve = measure([*_valley()[:40], bad, 1.0], on_step=lambda *step: told.append(step))
    assert (len(curve.losses), len(told)) == (40, 41)
    assert np.all(np.isfinite(curve.smoothed_losses))


def test_a_first_loss_that_is_no_number_is_refused(measure):
    with pytest.raises(NoRateError, match="first step"):
        measure([math.nan])


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_it_suggests_where_the_loss_falls_fastest_and_where_it_is_lowest(measure, noise):
    suggestion = suggest(measure(_valley(noise)))
    assert 0.4e-2 < suggestion.steepest < 2.5e-2
    assert 0.1 < suggestion.lowest < 1.0
    assert suggestion.tenth == pytest.approx(suggestion.lowest / 10)


def test_the_wobble_of_single_batches_is_not_taken_for_the_fall(measure):
    losses = _valley()
    losses[14], losses[15] = 6.0, 1.5
    assert 0.4e-2 < suggest(measure(losses)).steepest < 2.5e-2


@pytest.mark.parametrize(
    "losses",
    [
        np.linspace(1, 2, 100),
        2 + 0.1 * np.random.RandomState(0).randn(100),
        np.concatenate([np.linspace(2, 1.82, 50), np.linspace(1.82, 2, 50)]),
        [2.0, 1.0, 2.0],
    ],
)
def test_a_loss_that_hardly_falls_suggests_nothing(measure, losses):
    with pytest.raises(NoRateError, match="--min_lr"):
        suggest(measure(losses))


def test_a_loss_that_falls_a_little_suggests_a_rate(measure):
    assert suggest(measure(np.concatenate([np.linspace(2, 1.6, 50), np.linspace(1.6, 2, 50)])))


def test_a_loss_that_still_falls_at_the_end_suggests_nothing(measure):
    with pytest.raises(NoRateError, match="--max_lr"):
        suggest(measure(np.linspace(2, 1, 100)))


def test_suggestions_are_read_off_the_smoothed_curve():
    flat = np.full(40, 9.0)
    losses = np.concatenate([np.full(20, 2.0), np.linspace(2, 1, 10), np.linspace(1, 3, 10)])
    rates = np.geomspace(1e-3, 1.0, 40)
    curve = RangeTest(rates=flat, losses=flat, smoothed_rates=rates, smoothed_losses=losses)
    assert suggest(curve).lowest == rates[29]
