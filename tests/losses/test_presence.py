"""The presence loss against a loop over images and classes."""

import jax.numpy as jnp
import numpy as np

from seg_jax.losses.presence import presence_cross_entropy


def test_it_asks_which_classes_an_image_shows():
    scores = np.random.RandomState(0).randn(2, 4).astype(np.float32)
    labels = np.array([[[0, 0], [3, 255]], [[255, 255], [255, 255]]], np.uint8)
    expected = 0.0
    for image in range(2):
        for cls in range(4):
            probability = 1 / (1 + np.exp(-np.float64(scores[image, cls])))
            shown = (labels[image] == cls).any()
            expected -= np.log(probability if shown else 1 - probability)
    total, weight = presence_cross_entropy(jnp.asarray(scores), jnp.asarray(labels))
    np.testing.assert_allclose(total, expected, rtol=1e-6)
    assert weight == 8
