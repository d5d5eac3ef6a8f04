"""The decoder of DeepLabv3+ against its figure, written with loops."""

import jax.numpy as jnp
import numpy as np

from seg_jax.heads.decoder import DeepLabDecoder
from seg_jax.layers.norm import identity_norm


def relu(x):
    return np.maximum(x, 0)


def test_it_joins_reduced_low_level_features(image, convolve, interpolate, draw_params, run):
    x, low_level = image((2, 3, 4, 5)), image((2, 7, 9, 6), seed=1)
    decoder = DeepLabDecoder(4, 2, 2, 3, align_corners=True, norm=identity_norm)
    inputs = jnp.asarray(x), jnp.asarray(low_level)
    params = draw_params(decoder, *inputs)
    kernels = {name: layer["conv"]["kernel"] for name, layer in params.items()}
    skip = relu(convolve(low_level, kernels["low_level"]))
    assert skip.shape[-1] == 2
    expected = np.concatenate([interpolate(x, (7, 9)), skip], -1)
    for name in ("conv1", "conv2"):
        expected = relu(convolve(expected, kernels[name]))
    np.testing.assert_allclose(run(decoder, params, *inputs), expected, rtol=1e-5, atol=1e-3)
    assert set(kernels) == {"low_level", "conv1", "conv2"}


def test_kernels_may_be_1x1(image, draw_params):
    x, low_level = jnp.asarray(image((1, 3, 4, 5))), jnp.asarray(image((1, 7, 9, 6)))
    decoder = DeepLabDecoder(4, 2, 1, 1, align_corners=True, norm=identity_norm)
    params = draw_params(decoder, x, low_level)
    assert params["conv1"]["conv"]["kernel"].shape == (1, 1, 7, 4)
