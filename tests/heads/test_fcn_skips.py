"""Skip fusion of FCN against loops; the cropping form is held to its reference's logits."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.heads.fcn_skips import FCNSkipHead


def relu(x):
    return np.maximum(x, 0)


@pytest.mark.parametrize(
    ("finest_stride", "at_once"), [(8, False), (8, True), (16, False), (32, False)]
)
def test_scores_are_added_from_coarse_to_fine(
    image, convolve, interpolate, draw_params, run, finest_stride, at_once
):
    maps = {8: (2, 7, 9, 3), 16: (2, 4, 5, 4), 32: (2, 2, 3, 5)}
    maps = {stride: image(shape, stride) for stride, shape in maps.items()}
    features = jax.tree.map(jnp.asarray, maps)
    head = FCNSkipHead(6, 8, 3, finest_stride, at_once, dropout_rate=0.5, align_corners=True)
    params = draw_params(head, features, train=False)

    def layer(name, x):
        return convolve(x, params[name]["kernel"]) + np.asarray(params[name]["bias"])

    x = relu(layer("fc7", relu(layer("fc6", maps[32]))))
    expected = layer("score_fr", x)
    if finest_stride <= 16:
        pool4 = maps[16] * (0.01 if at_once else 1)
        expected = interpolate(expected, (4, 5)) + layer("score_pool4", pool4)
    if finest_stride <= 8:
        pool3 = maps[8] * (0.0001 if at_once else 1)
        expected = interpolate(expected, (7, 9)) + layer("score_pool3", pool3)
    actual = run(head, params, features, train=False)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-3)


def test_the_net_starts_with_its_coarse_prediction(image):
    features = {stride: jnp.asarray(image((1, 1, 1, 2))) for stride in (8, 16, 32)}
    head = FCNSkipHead(3, 2, 3, 8, False, dropout_rate=0.5, align_corners=True)
    init = functools.partial(head.init, train=False)
    params = jax.jit(init)(jax.random.key(0), features)["params"]
    starts_at_zero = {name for name, layer in params.items() if not layer["kernel"].any()}
    assert starts_at_zero == {"score_pool3", "score_pool4"}
