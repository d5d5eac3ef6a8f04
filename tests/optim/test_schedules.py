"""Schedules against PyTorch 2.13's figures and the formulas; all of them at both ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.optim.schedules import constant, cosine, exponential, one_cycle, poly, step

CASES = {
    "poly": lambda **more: poly(base_lr=0.5, num_steps=8, power=0.9, **more),
    "constant": lambda **more: constant(base_lr=0.5, **more),
    "step": lambda **more: step(base_lr=0.5, milestones=(2, 5), factor=0.1, **more),
    "exponential": lambda **more: exponential(base_lr=0.5, factor=0.5, period=3, **more),
    "cosine": lambda **more: cosine(base_lr=0.5, num_steps=8, **more),
    "one_cycle": lambda **more: one_cycle(base_lr=0.5, num_steps=8, peak=0.25, **more),
}

TORCH = {  # learning rates of the first updates under torch.optim.lr_scheduler
    "PolynomialLR(8, power=.9)": (
        CASES["poly"](),
        [0.5, 0.443381, 0.385945, 0.327538, 0.267943, 0.206823, 0.143587, 0.0769465, 0.0],
    ),
    "MultiStepLR([2, 5], gamma=.1)": (CASES["step"](), [0.5] * 2 + [0.05] * 3 + [0.005] * 2),
    "StepLR(3, gamma=.5)": (CASES["exponential"](), [0.5] * 3 + [0.25] * 3 + [0.125] * 2),
    "CosineAnnealingLR(8, eta_min=.01)": (
        CASES["cosine"](end_lr=0.01),
        [0.5, 0.48135049, 0.42824116, 0.34875744, 0.255, 0.16124256, 0.08175884, 0.02864951, 0.01],
    ),
    # Its last of 11 updates is our step 10, and its peak is at 4 / 11 * 11 - 1 = 3.
    "OneCycleLR(max_lr=.5, total_steps=11, pct_start=4/11)": (
        one_cycle(base_lr=0.5, num_steps=10, peak=0.3, end_lr=0.5 / 25e4),
        [0.02, 0.14, 0.38, 0.5, 0.475242, 0.405873, 0.305631, 0.194371, 0.0941292, 0.0247597, 2e-6],
    ),
}


@pytest.mark.parametrize("name", TORCH)
def test_rates_are_those_of_torch(name):
    schedule, expected = TORCH[name]
    actual = [float(schedule(count)) for count in range(len(expected))]
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-8)


def test_poly_falls_to_its_floor():
    schedule = poly(base_lr=0.01, num_steps=40, end_lr=1e-4, power=0.9)
    expected = [(0.01 - 1e-4) * (1 - count / 40) ** 0.9 + 1e-4 for count in range(41)]
    np.testing.assert_allclose([schedule(count) for count in range(41)], expected, rtol=1e-5)


def test_exponential_may_grow():
    schedule = exponential(base_lr=1e-6, factor=10.0, period=1)
    np.testing.assert_allclose([schedule(0), schedule(3)], [1e-6, 1e-3], rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "end"), [("poly", 0.0), ("cosine", 0.0), ("one_cycle", 0.0), ("constant", 0.5)]
)
def test_the_last_rate_is_kept(name, end):
    schedule = CASES[name]()
    assert [float(schedule(count)) for count in (8, 9, 1000)] == [end] * 3


@pytest.mark.parametrize("name", ["poly", "cosine", "one_cycle"])
def test_the_floor_is_where_the_run_ends(name):
    schedule = CASES[name](end_lr=0.125)
    np.testing.assert_allclose([schedule(8), schedule(20)], 0.125, rtol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_warm_up_multiplies_every_schedule(name):
    plain, warm = CASES[name](), CASES[name](warmup_steps=4)
    ratio = [float(warm(count) / plain(count)) for count in range(6)]
    np.testing.assert_allclose(ratio, [0.2, 0.4, 0.6, 0.8, 1.0, 1.0], rtol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_rates_are_float32_inside_a_compiled_step_too(name):
    schedule = CASES[name]()
    counts = jnp.arange(30, dtype=jnp.int32)
    rates = jax.jit(jax.vmap(schedule))(counts)
    assert rates.dtype == jnp.float32
    assert np.all((rates >= 0) & np.isfinite(rates))
    # Compiled, and with a number of Python instead of an array: the same to rounding.
    np.testing.assert_allclose(rates, [schedule(count) for count in range(30)], rtol=1e-5)


def test_a_step_schedule_wants_milestones():
    with pytest.raises(ValueError, match=r"config\.schedule\.milestones"):
        step(base_lr=0.1, milestones=())
