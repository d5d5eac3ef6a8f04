"""Learning curves: torn files, resumed steps, seeds of different length."""

import json

import numpy as np

from seg_jax.report.curves import Curve, average, read_curve, smooth


def test_torn_lines_are_passed_over_and_a_resumed_step_counts_once(tmp_path):
    rows = [{"step": 2, "loss": 5.0}, {"step": 4, "loss": 9.0}, {"step": 2, "miou": 0.1}]
    rows += [{"step": 4, "loss": 3.0}, {"step": 6, "loss": float("nan")}, ["step"]]
    text = "\n".join(map(json.dumps, rows)) + '\n{"step": 8, "lo'
    (tmp_path / "metrics.jsonl").write_text(text)
    curve = read_curve(tmp_path, "loss")
    assert curve.steps.tolist() == [2, 4]
    assert curve.values.tolist() == [5.0, 3.0]
    assert read_curve(tmp_path, "grad_norm") is None
    assert read_curve(tmp_path / "absent", "loss") is None


def test_smoothing_is_a_centred_mean_that_invents_nothing_at_the_ends():
    values = np.array([1.0, 5.0, 3.0, 7.0, 2.0])
    np.testing.assert_allclose(smooth(values, 3), [1.0, 3.0, 5.0, 4.0, 2.0])
    np.testing.assert_array_equal(smooth(values, 1), values)
    line = np.arange(20.0)
    np.testing.assert_allclose(smooth(line, 7), line)


def test_seeds_are_averaged_where_all_of_them_are():
    curves = [
        Curve(np.array([0.0, 10.0, 20.0]), np.array([0.0, 10.0, 20.0])),
        Curve(np.array([5.0, 15.0, 30.0]), np.array([7.0, 17.0, 32.0])),
    ]
    band = average(curves, window=1)
    assert band.steps.tolist() == [5, 10, 15, 20]
    np.testing.assert_allclose(band.mean, [6, 11, 16, 21])
    np.testing.assert_allclose(band.std, np.sqrt(2.0))
    assert average(curves[:1], window=1).std.tolist() == [0, 0, 0]
    apart = [curves[0], Curve(np.array([50.0, 60.0]), np.array([1.0, 1.0]))]
    assert average(apart, window=1) is None
