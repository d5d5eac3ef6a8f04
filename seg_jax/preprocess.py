"""What turns stored uint8 pixels into a network's input; runs on the device, inside the step.

A float batch is four times as large to transfer and costs the host more than the JPEG it
came from, so the pipeline ships uint8 and the step normalises.
"""

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, UInt8

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601 weights of red, green and blue, as in torchvision's saturation."""


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """Input statistics; they belong to the weights, not to the dataset.

    Attributes:
        mean: subtracted per channel, in units of the scaled image, RGB order.
        std: divided by per channel, RGB order.
        scale: multiplies the stored 0..255 values first; 1/255 for torchvision, 1 for Caffe.
        channel_order: order in which the network takes the channels.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    scale: float = 1.0 / 255.0
    channel_order: Literal["rgb", "bgr"] = "rgb"


IMAGENET = Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""Statistics of the ImageNet training set as torchvision states them."""


def normalise(
    image: UInt8[Array, "b h w 3"] | Float[Array, "b h w 3"], preprocessing: Preprocessing
) -> Float[Array, "b h w 3"]:
    """Maps pixel values in 0..255, RGB, to what the network was trained on."""
    scale = preprocessing.scale
    mean = jnp.array([m / scale for m in preprocessing.mean], jnp.float32).reshape(1, 1, 1, 3)
    factor = jnp.array([scale / s for s in preprocessing.std], jnp.float32).reshape(1, 1, 1, 3)
    x = (image.astype(jnp.float32) - mean) * factor
    return x[..., ::-1] if preprocessing.channel_order == "bgr" else x


def color_jitter(
    keys: Key[Array, "b"], image: UInt8[Array, "b h w 3"], strength: float
) -> Float[Array, "b h w 3"]:
    """Scales brightness, contrast and saturation of each image, in that order.

    Each factor is drawn once an image from [1 - strength, 1 + strength]; contrast turns
    around the image's mean luma, saturation around each pixel's, and values stay within
    0..255, as in torchvision's ColorJitter without hue. One key an image, so that the
    draw does not depend on how a batch is split over devices.
    """

    def draw(key):
        return jax.random.uniform(key, (3, 1, 1, 1), minval=1.0 - strength, maxval=1.0 + strength)

    brightness, contrast, saturation = jnp.moveaxis(jax.vmap(draw)(keys), 1, 0)
    luma = jnp.array(LUMA, jnp.float32).reshape(1, 1, 1, 3)

    def blend(x, anchor, factor):
        return jnp.clip(anchor + factor * (x - anchor), 0.0, 255.0)

    x = jnp.clip(image.astype(jnp.float32) * brightness, 0.0, 255.0)
    grey = jnp.sum(x * luma, axis=-1, keepdims=True)
    x = blend(x, jnp.mean(grey, axis=(1, 2), keepdims=True), contrast)
    return blend(x, jnp.sum(x * luma, axis=-1, keepdims=True), saturation)


BRIGHTNESS_DELTA = 32.0
"""Grey levels of 0..255 added at most by `photometric_distortion`."""

DISTORTION_FACTORS = (0.5, 1.5)
"""Lowest and highest factor of its contrast and its saturation."""

HUE_DELTA = 36.0
"""Degrees of its hue: mmsegmentation's 18 counts in OpenCV's 8-bit hue, of two degrees each."""


def photometric_distortion(
    keys: Key[Array, "b"], image: UInt8[Array, "b h w 3"] | Float[Array, "b h w 3"]
) -> Float[Array, "b h w 3"]:
    """Distorts brightness, contrast, saturation and hue of each image, each with probability 1/2.

    mmsegmentation's PhotoMetricDistortion with its defaults, which is SSD's
    (arXiv:1512.02325): brightness is added; contrast multiplies around black, before or
    after the other two by a coin; saturation multiplies and hue turns in HSV. Values stay
    within 0..255. All is in floating point, where the reference truncates to 8 bit after
    each step and its hue to two degrees, and hue is uniform over the open interval, where the
    reference draws whole units of it. One key an image, as in `color_jitter`.
    """

    def draw(key):
        # Apart from the draws of `color_jitter`, which is given the same keys.
        return jax.random.uniform(jax.random.fold_in(key, 1), (9, 1, 1, 1))

    draws = jnp.moveaxis(jax.vmap(draw)(keys), 1, 0)
    applied, amounts, contrast_first = draws[:4] < 0.5, draws[4:8], draws[8] < 0.5
    low, high = DISTORTION_FACTORS
    signed = 2.0 * amounts - 1.0
    factors = low + (high - low) * amounts
    brightness = jnp.where(applied[0], BRIGHTNESS_DELTA * signed[0], 0.0)
    contrast = jnp.where(applied[1], factors[1], 1.0)
    saturation = jnp.where(applied[2], factors[2], 1.0)
    hue = jnp.where(applied[3], HUE_DELTA * signed[3], 0.0)

    x = jnp.clip(image.astype(jnp.float32) + brightness, 0.0, 255.0)
    x = jnp.clip(x * jnp.where(contrast_first, contrast, 1.0), 0.0, 255.0)
    x = _shift_hsv(x, hue, saturation)
    return jnp.clip(x * jnp.where(contrast_first, 1.0, contrast), 0.0, 255.0)


def _shift_hsv(
    x: Float[Array, "b h w 3"], degrees: Float[Array, "b 1 1 1"], factor: Float[Array, "b 1 1 1"]
) -> Float[Array, "b h w 3"]:
    """Turns the hue and multiplies the saturation of HSV, which stays at most 1."""
    red, green, blue = x[..., :1], x[..., 1:2], x[..., 2:]
    value = jnp.max(x, axis=-1, keepdims=True)
    chroma = value - jnp.min(x, axis=-1, keepdims=True)
    safe = jnp.where(chroma > 0, chroma, 1.0)
    # In sixths of the circle, from the two channels that are not the largest.
    sector = jnp.where(
        value == red,
        (green - blue) / safe,
        jnp.where(value == green, (blue - red) / safe + 2.0, (red - green) / safe + 4.0),
    )
    place = (sector + degrees / 60.0 + jnp.array([5.0, 3.0, 1.0]).reshape(1, 1, 1, 3)) % 6.0
    share = jnp.clip(jnp.minimum(place, 4.0 - place), 0.0, 1.0)
    return value - jnp.minimum(chroma * factor, value) * share
