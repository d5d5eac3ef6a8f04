"""Augmentation on the host: what happens to a stored example before it is batched.

In this order: scale, crop, flips, rotation, elastic deformation, blur, mixing with a
partner. Changes of colour and normalisation run on the device, after the batch is made.
docs/augmentation.md lists every operation with its field and source.
"""

import dataclasses
import functools
from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from seg_jax.data.augment.crop import PAD_COLOR, choose_window, cut, pad
from seg_jax.data.augment.draws import draw
from seg_jax.data.augment.geometry import resample, source_points
from seg_jax.data.augment.layers import Layers
from seg_jax.data.augment.mix import MASKS, paste
from seg_jax.data.augment.refuse import refusal
from seg_jax.data.augment.resize_rule import ResizeRule
from seg_jax.data.example import Example


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Maps a picture and an rng to a crop of fixed size; a pure function of the two.

    Attributes:
        crop_size: height and width of what comes out. Where the resized image ends smaller,
            it is padded below and to the right with `pad_color` and IGNORE_LABEL: a crop that
            no image exceeds is a recipe of whole images, in batches of any size.
        scale_range: see ResizeRule.
        flip: mirror left and right with probability 1/2.
        flip_vertical: mirror top and bottom with probability 1/2.
        resize: see ResizeRule.
        base_size: see ResizeRule.
        scale_step: see ResizeRule.
        max_class_ratio: a crop of which one class takes this share of the counted pixels or
            more, or which shows one class alone, is drawn again, up to ten times; 1 never.
        rotation: degrees; the picture turns about the crop's centre by an angle that is
            uniform in [-rotation, rotation].
        elastic: standard deviation in pixels of the displacements of a 3 x 3 grid.
        blur_probability: how often the image is blurred.
        blur_sigma: lowest and highest standard deviation of the Gaussian, in pixels.
        pad_color: RGB of what lies outside the source.
        mix: "cutmix", "classmix" or "", which mixes nothing.
        mix_probability: how often an example is mixed with another.

    Raises:
        ValueError: a field is out of range.
    """

    crop_size: tuple[int, int]
    scale_range: tuple[float, float] = (1.0, 1.0)
    flip: bool = True
    _: dataclasses.KW_ONLY
    flip_vertical: bool = False
    resize: str = "native"
    base_size: tuple[int, ...] = ()
    scale_step: float = 0.0
    max_class_ratio: float = 1.0
    rotation: float = 0.0
    elastic: float = 0.0
    blur_probability: float = 0.0
    blur_sigma: tuple[float, float] = (0.1, 2.0)
    pad_color: tuple[int, int, int] = PAD_COLOR
    mix: str = ""
    mix_probability: float = 1.0

    def __post_init__(self):
        _ = self._resize_rule  # which refuses the fields that are its own
        low, high = self.blur_sigma
        rules = [
            ("crop_size", min(self.crop_size) >= 1, "two positive integers (height, width)"),
            ("max_class_ratio", 0 < self.max_class_ratio <= 1, "above 0 and at most 1"),
            ("rotation", 0 <= self.rotation <= 180, "0 to 180 degrees"),
            ("elastic", self.elastic >= 0, "0 pixels or more"),
            ("blur_probability", 0 <= self.blur_probability <= 1, "between 0 and 1"),
            ("blur_sigma", 0 < low <= high, "(low, high) with 0 < low <= high"),
            ("pad_color", all(0 <= c <= 255 for c in self.pad_color), "three values 0 to 255"),
            ("mix", self.mix in ("", *MASKS), f"'' or one of {', '.join(MASKS)}"),
            ("mix_probability", 0 <= self.mix_probability <= 1, "between 0 and 1"),
        ]
        for field, kept, allowed in rules:
            if not kept:
                raise refusal(field, getattr(self, field), allowed)

    def __call__(
        self,
        image: UInt8[np.ndarray, "h w 3"],
        label: UInt8[np.ndarray, "h w"],
        rng: np.random.Generator,
        border: Float32[np.ndarray, "h w"] | None = None,
    ) -> Layers:
        """Returns the picture augmented, of `crop_size`; mixes nothing.

        Args:
            image: RGB.
            label: class ids.
            rng: decides everything that is random, alike with and without a border.
            border: weights of pixels between objects, which move with the image.
        """
        draws = draw(rng)
        size = self._resize_rule((label.shape[0], label.shape[1]), draws.scale)
        window = choose_window(label, size, self.crop_size, draws.positions, self.max_class_ratio)
        mirrored = (self.flip_vertical and draws.overturn < 0.5, self.flip and draws.mirror < 0.5)
        if self.rotation or self.elastic:
            angle, vectors = self.rotation * draws.angle, self.elastic * draws.vectors
            points = source_points(self.crop_size, window, mirrored, angle, vectors)
            layers = resample(Layers(image, label, border), points, self.pad_color)
        else:
            layers = cut(Layers(image, label, border), window, mirrored)
            layers = pad(layers, self.crop_size, self.pad_color)
        if draws.blur < self.blur_probability:
            low, high = self.blur_sigma
            blurred = cv2.GaussianBlur(layers.image, (0, 0), low + (high - low) * draws.sigma)
            layers = layers._replace(image=blurred)
        return layers

    def sample(
        self, read: Callable[[int], Example], index: int, count: int, rng: np.random.Generator
    ) -> Example:
        """Returns an example augmented and, where `mix` says so, mixed with another.

        It keeps the example's name; the partner's is not told.

        The partner is any other example of the source, as likely as the next, and is
        augmented by draws of its own. The example's own draws come first: they are the same
        with and without mixing.

        Args:
            read: returns the example at a position of the source.
            index: position of the example.
            count: number of examples in the source.
            rng: decides everything that is random.
        """
        example = read(index)
        layers = self._augmented(example, rng)
        mixes, which = rng.random(2).tolist()
        if self.mix and mixes < self.mix_probability:
            step = 1 + int(which * (count - 1)) if count > 1 else 0
            partner = self._augmented(read((index + step) % count), rng)
            layers = paste(layers, partner, MASKS[self.mix](partner.label, rng))
        made = Example(image=layers.image, label=layers.label, id=example["id"])
        if layers.border is not None:
            made["border"] = layers.border
        return made

    def _augmented(self, example: Example, rng: np.random.Generator) -> Layers:
        return self(example["image"], example["label"], rng, example.get("border"))

    @functools.cached_property
    def _resize_rule(self) -> ResizeRule:
        return ResizeRule(self.resize, self.base_size, self.scale_range, self.scale_step)
