"""Normalisation and changes of colour against the formulas in numpy and OpenCV."""

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.preprocess import (
    IMAGENET,
    LUMA,
    Preprocessing,
    color_jitter,
    normalise,
    photometric_distortion,
)

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


def distortion_draws(keys):
    """What `photometric_distortion` draws: ({operation: amount or None}, contrast first)."""
    uniform = jax.vmap(lambda key: jax.random.uniform(jax.random.fold_in(key, 1), (9, 1, 1, 1)))
    for *coins, brightness, contrast, saturation, hue, first in (
        np.asarray(uniform(keys), np.float64).reshape(-1, 9).tolist()
    ):
        amounts = {
            "brightness": 64 * brightness - 32,
            "contrast": 0.5 + contrast,
            "saturation": 0.5 + saturation,
            "hue": 72 * hue - 36,
        }
        drawn = zip(coins, amounts.items(), strict=True)
        yield {name: amount if coin < 0.5 else None for coin, (name, amount) in drawn}, first < 0.5


def in_hsv(x, channel, change):
    """Changes one channel of OpenCV's floating-point HSV: degrees, and 0..1 for the others."""
    hsv = cv2.cvtColor((x / 255).astype(np.float32), cv2.COLOR_RGB2HSV)
    hsv[..., channel] = change(hsv[..., channel])
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).astype(np.float64) * 255


def distorted(x, amounts, contrast_first):
    def contrast(x):
        factor = amounts["contrast"]
        return x if factor is None else np.clip(x * factor, 0, 255)

    x = x.astype(np.float64)
    if amounts["brightness"] is not None:
        x = np.clip(x + amounts["brightness"], 0, 255)
    x = contrast(x) if contrast_first else x
    if amounts["saturation"] is not None:
        x = in_hsv(x, 1, lambda s: np.minimum(s * amounts["saturation"], 1))
    if amounts["hue"] is not None:
        x = in_hsv(x, 0, lambda h: (h + amounts["hue"]) % 360)
    return x if contrast_first else contrast(x)


def mmsegmentation_distorted(x, amounts, contrast_first):
    """PhotoMetricDistortion in 8 bit, as published, for given draws."""

    def convert(x, alpha=1.0, beta=0.0):
        return np.clip(x.astype(np.float32) * alpha + beta, 0, 255).astype(np.uint8)

    def contrast(x):
        return x if amounts["contrast"] is None else convert(x, alpha=amounts["contrast"])

    if amounts["brightness"] is not None:
        x = convert(x, beta=amounts["brightness"])
    x = contrast(x) if contrast_first else x
    if amounts["saturation"] is not None:
        hsv = cv2.cvtColor(x, cv2.COLOR_RGB2HSV)
        hsv[..., 1] = convert(hsv[..., 1], alpha=amounts["saturation"])
        x = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    if amounts["hue"] is not None:
        hsv = cv2.cvtColor(x, cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(int) + round(amounts["hue"] / 2)) % 180
        x = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    return x if contrast_first else contrast(x)


COLOURS = np.random.RandomState(1).randint(0, 256, (64, 12, 10, 3)).astype(np.uint8)
COLOURS[:, 0] = COLOURS[:, 0, :, :1]  # grey, whose hue is undefined
COLOURS[:, 1, 0] = 0
COLOURS[:, 1, 1] = 255
KEYS = jax.random.split(jax.random.key(7), 64)


distort = jax.jit(photometric_distortion)


def test_distortion_is_that_of_opencvs_hsv():
    actual = np.asarray(distort(KEYS, COLOURS))
    kinds = set()
    for image, out, draws in zip(COLOURS, actual, distortion_draws(KEYS), strict=True):
        np.testing.assert_allclose(out, distorted(image, *draws), atol=0.002)
        kinds.add((*(amount is not None for amount in draws[0].values()), draws[1]))
    assert len(kinds) > 20  # of 32 combinations


def test_distortion_is_mmsegmentations_but_for_its_8_bit_steps():
    actual = np.asarray(distort(KEYS, COLOURS))
    for image, out, draws in zip(COLOURS, actual, distortion_draws(KEYS), strict=True):
        difference = np.abs(out - mmsegmentation_distorted(image, *draws))
        # A unit of OpenCV's 8-bit hue, two degrees, is worth 255 / 30 levels of a pure colour.
        assert difference.max() < 12
        assert difference.mean() < 2


def test_each_distortion_has_probability_a_half_and_covers_its_range():
    draws = list(distortion_draws(jax.random.split(jax.random.key(1), 600)))
    assert 250 < sum(first for _, first in draws) < 350
    ranges = {"brightness": (-32, 32), "contrast": (0.5, 1.5), "hue": (-36, 36)}
    for name, (low, high) in {**ranges, "saturation": (0.5, 1.5)}.items():
        applied = [amounts[name] for amounts, _ in draws if amounts[name] is not None]
        assert 250 < len(applied) < 350
        assert low <= min(applied) < low + 0.05 * (high - low)
        assert high - 0.05 * (high - low) < max(applied) <= high


@pytest.mark.parametrize("row", [0, 5])
def test_distortion_of_an_image_does_not_depend_on_its_neighbours(row):
    whole = distort(KEYS, COLOURS)
    alone = distort(KEYS[row : row + 1], COLOURS[row : row + 1])
    np.testing.assert_allclose(whole[row], alone[0], atol=1e-4)
