"""Means and standard deviations against the standard library's."""

import math
import statistics

import numpy as np
import pytest

from seg_jax.report.statistics import Summary, finite, noise_of_difference, summarize


def test_mean_and_std_are_those_of_the_standard_library():
    values = [0.71, 0.693, 0.705, 0.72]
    summary = summarize(values)
    assert summary.mean == pytest.approx(statistics.mean(values), rel=1e-14)
    assert summary.std == pytest.approx(statistics.stdev(values), rel=1e-12)
    assert summary.std != pytest.approx(statistics.pstdev(values), rel=1e-3)


def test_one_seed_has_no_std():
    assert summarize([0.5]).std is None


def test_what_is_no_number_is_left_out():
    summary = summarize([None, 0.5, math.nan, math.inf, "0.9", True, 1])
    assert summary.values == (0.5, 1.0)
    assert summarize([None, math.nan]) is None
    assert finite(False) is None


def test_noise_of_a_difference_is_that_of_simulated_runs():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.0, 0.03, 100_000), rng.normal(0.0, 0.04, 100_000)
    noise = noise_of_difference(Summary(tuple(a[:5000])), Summary(tuple(b[:5000])))
    assert noise == pytest.approx((a - b).std(), rel=0.03)
    assert noise_of_difference(Summary((1.0,)), Summary((1.0, 2.0))) is None
