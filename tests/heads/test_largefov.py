"""fc6 and fc7 of DeepLab v1 and v2, and the sum of their branches, against loops."""

import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.heads.aspp_sum import SummedASPP
from seg_jax.heads.largefov import FieldOfView


def relu(x):
    return np.maximum(x, 0)


def field_of_view(params, x, rate, convolve):
    for name, step in (("fc6", rate), ("fc7", 1)):
        x = relu(convolve(x, params[name]["kernel"], step) + np.asarray(params[name]["bias"]))
    return x


def test_fc6_sees_its_rate(image, convolve, draw_params, run):
    x = image((1, 6, 7, 3))
    head = FieldOfView(4, 3, 2, dropout_rate=0.5)
    params = draw_params(head, jnp.asarray(x), train=False)
    actual = run(head, params, jnp.asarray(x), train=False)
    expected = field_of_view(params, x, 2, convolve)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("fc_features", [None, 4])
def test_the_scores_of_every_rate_are_added(image, convolve, draw_params, run, fc_features):
    x = image((1, 6, 7, 3))
    head = SummedASPP(2, (1, 3), fc_features, dropout_rate=0.5)
    params = draw_params(head, jnp.asarray(x), train=False)
    expected = np.zeros((1, 6, 7, 2))
    for i, rate in enumerate((1, 3), start=1):
        classifier = params[f"classifier{i}"]
        y, step = x, rate
        if fc_features is not None:
            y, step = field_of_view(params[f"branch{i}"], x, rate, convolve), 1
        expected += convolve(y, classifier["kernel"], step) + np.asarray(classifier["bias"])
    actual = run(head, params, jnp.asarray(x), train=False)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-3)
