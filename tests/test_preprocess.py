"""Normalisation and colour jitter against the formulas in numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.preprocess import IMAGENET, LUMA, Preprocessing, color_jitter, normalise

IMAGE = np.random.RandomState(0).randint(0, 256, (3, 5, 4, 3)).astype(np.uint8)


def test_imagenet_statistics_apply_to_the_unit_range():
    expected = (IMAGE / 255.0 - IMAGENET.mean) / IMAGENET.std
    np.testing.assert_allclose(normalise(jnp.asarray(IMAGE), IMAGENET), expected, atol=1e-5)


def test_caffe_statistics_take_bgr_in_0_to_255():
    caffe = Preprocessing(
        mean=(122.679, 116.669, 104.007), std=(1.0, 1.0, 1.0), scale=1.0, channel_order="bgr"
    )
    expected = IMAGE[..., ::-1] - np.array([104.007, 116.669, 122.679])
    np.testing.assert_allclose(normalise(jnp.asarray(IMAGE), caffe), expected, atol=1e-4)


def test_jitter_is_the_three_blends_with_factors_in_range():
    keys = jax.random.split(jax.random.key(0), 3)
    actual = color_jitter(keys, jnp.asarray(IMAGE), 0.4)
    for i in range(3):
        draw = jax.random.uniform(keys[i], (3, 1, 1, 1), minval=0.6, maxval=1.4)
        b, c, s = np.asarray(draw, np.float64).ravel()
        assert 0.6 <= min(b, c, s) <= max(b, c, s) <= 1.4
        x = np.clip(IMAGE[i] * b, 0, 255)
        mean = (x @ np.array(LUMA)).mean()
        x = np.clip(mean + c * (x - mean), 0, 255)
        grey = (x @ np.array(LUMA))[..., None]
        np.testing.assert_allclose(actual[i], np.clip(grey + s * (x - grey), 0, 255), atol=1e-3)


def test_jitter_of_strength_zero_changes_nothing():
    keys = jax.random.split(jax.random.key(0), 3)
    np.testing.assert_allclose(color_jitter(keys, jnp.asarray(IMAGE), 0.0), IMAGE, atol=1e-4)


@pytest.mark.parametrize("row", [0, 2])
def test_jitter_of_an_image_does_not_depend_on_its_neighbours(row):
    keys = jax.random.split(jax.random.key(0), 3)
    whole = color_jitter(keys, jnp.asarray(IMAGE), 0.3)
    alone = color_jitter(keys[row : row + 1], jnp.asarray(IMAGE[row : row + 1]), 0.3)
    np.testing.assert_allclose(whole[row], alone[0], atol=1e-4)
