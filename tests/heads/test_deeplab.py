"""The head of DeepLabv3: what follows its ASPP."""

import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.heads.aspp import ASPP
from seg_jax.heads.deeplab import DeepLabHead
from seg_jax.layers.norm import identity_norm


@pytest.mark.parametrize("refine", [False, True])
def test_it_classifies_the_features_of_an_aspp(image, convolve, draw_params, run, refine):
    x = jnp.asarray(image((1, 4, 5, 3)))
    head = DeepLabHead(6, 4, (1, 2), refine, dropout_rate=0.5, norm=identity_norm)
    params = draw_params(head, x, train=False)
    aspp = ASPP(4, (1, 2), norm=identity_norm)
    expected = run(aspp, params["aspp"], x)
    if refine:
        expected = np.maximum(convolve(expected, params["refine"]["conv"]["kernel"]), 0)
    expected = convolve(expected, params["classifier"]["kernel"])
    expected = expected + np.asarray(params["classifier"]["bias"])
    actual = run(head, params, x, train=False)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-3)
    assert ("refine" in params) == refine
