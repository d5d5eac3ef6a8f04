"""The two fully convolutional heads, against loops."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from seg_jax.heads.fcn import FCNHead, FCNSkipHead
from seg_jax.layers.norm import identity_norm


def relu(x):
    return np.maximum(x, 0)


def test_scores_are_added_from_coarse_to_fine(image, convolve, interpolate, draw_params, run):
    maps = {8: (2, 7, 9, 3), 16: (2, 4, 5, 4), 32: (2, 2, 3, 5)}
    maps = {stride: image(shape, stride) for stride, shape in maps.items()}
    features = jax.tree.map(jnp.asarray, maps)
    head = FCNSkipHead(6, 8, 3, dropout_rate=0.5, align_corners=True)
    params = draw_params(head, features, train=False)

    def layer(name, x):
        return convolve(x, params[name]["kernel"]) + np.asarray(params[name]["bias"])

    x = relu(layer("fc7", relu(layer("fc6", maps[32]))))
    x = interpolate(layer("score_fr", x), (4, 5)) + layer("score_pool4", maps[16])
    expected = interpolate(x, (7, 9)) + layer("score_pool3", maps[8])
    actual = run(head, params, features, train=False)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-3)


def test_the_net_starts_with_its_coarse_prediction(image):
    features = {stride: jnp.asarray(image((1, 1, 1, 2))) for stride in (8, 16, 32)}
    head = FCNSkipHead(3, 2, 3, dropout_rate=0.5, align_corners=True)
    init = functools.partial(head.init, train=False)
    params = jax.jit(init)(jax.random.key(0), features)["params"]
    starts_at_zero = {name for name, layer in params.items() if not layer["kernel"].any()}
    assert starts_at_zero == {"score_pool3", "score_pool4"}


def test_the_dense_head_is_a_convolution_and_a_classifier(image, convolve, draw_params, run):
    x = image((2, 4, 5, 3))
    head = FCNHead(6, 4, dropout_rate=0.5, norm=identity_norm)
    params = draw_params(head, jnp.asarray(x), train=False)
    expected = relu(convolve(x, params["conv"]["conv"]["kernel"]))
    expected = convolve(expected, params["classifier"]["kernel"])
    expected = expected + np.asarray(params["classifier"]["bias"])
    actual = run(head, params, jnp.asarray(x), train=False)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-3)


def test_features_are_dropped_in_training_only(image, draw_params, run):
    x = jnp.asarray(image((2, 4, 5, 3)))
    head = FCNHead(6, 4, dropout_rate=0.5, norm=identity_norm)
    params = draw_params(head, x, train=False)

    def logits(seed, train):
        return run(head, params, x, train=train, rngs={"dropout": jax.random.key(seed)})

    np.testing.assert_array_equal(logits(0, train=False), logits(1, train=False))
    assert np.abs(logits(0, train=True) - logits(1, train=True)).max() > 0.01
