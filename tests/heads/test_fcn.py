"""The head of dilated FCNs against loops."""

import jax
import jax.numpy as jnp
import numpy as np

from seg_jax.heads.fcn import FCNHead
from seg_jax.layers.norm import identity_norm


def relu(x):
    return np.maximum(x, 0)


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


def test_mmsegmentations_head_convolves_twice_and_joins_its_input(
    image, convolve, draw_params, run
):
    x = image((1, 4, 5, 3))
    head = FCNHead(6, 4, 0.5, num_convs=2, concat_input=True, norm=identity_norm)
    params = draw_params(head, jnp.asarray(x), train=False)

    def layer(name, x):
        return relu(convolve(x, params[name]["conv"]["kernel"]))

    y = layer("join", np.concatenate([x, layer("conv2", layer("conv", x))], -1))
    expected = convolve(y, params["classifier"]["kernel"]) + np.asarray(
        params["classifier"]["bias"]
    )
    actual = run(head, params, jnp.asarray(x), train=False)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-2)
