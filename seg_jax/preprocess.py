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
