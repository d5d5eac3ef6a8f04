"""Geometric augmentation on the host: random scale, random crop, horizontal flip.

The recipe of FCN's successors (DeepLab, arXiv:1606.00915, section 4.1; PSPNet,
arXiv:1612.01105, section 5). Colour jitter and normalisation run on the device.
"""

import dataclasses
import math

import numpy as np
from jaxtyping import UInt8

from seg_jax.data.views import resize_pair
from seg_jax.typing import IGNORE_LABEL

PAD_COLOR = (124, 116, 104)
"""The mean of ImageNet: padding becomes about zero after normalisation."""


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Maps (image, label, rng) to a crop of fixed size.

    Attributes:
        crop_size: height and width of what comes out.
        scale_range: the image is enlarged by a factor drawn uniformly from (low, high); where
            it ends smaller than the crop, the crop is padded below and to the right with
            PAD_COLOR and IGNORE_LABEL.
        flip: mirror left and right with probability 1/2.

    Raises:
        ValueError: a field is out of range.
    """

    crop_size: tuple[int, int]
    scale_range: tuple[float, float] = (1.0, 1.0)
    flip: bool = True

    def __post_init__(self):
        if min(self.crop_size) < 1:
            raise ValueError(
                f"config.augment.crop_size={self.crop_size} must be two positive integers "
                "(height, width)."
            )
        low, high = self.scale_range
        if not 0 < low <= high:
            raise ValueError(
                f"config.augment.scale_range={self.scale_range} must be (low, high) with "
                "0 < low <= high."
            )

    def __call__(
        self,
        image: UInt8[np.ndarray, "h w 3"],
        label: UInt8[np.ndarray, "h w"],
        rng: np.random.Generator,
    ) -> tuple[UInt8[np.ndarray, "h2 w2 3"], UInt8[np.ndarray, "h2 w2"]]:
        """Returns the augmented image and label, of `crop_size`.

        Resizes only the window of the source that the crop shows: three to five times
        cheaper than resizing the whole image, for the same geometry up to a pixel of the
        source, and image and label share the difference.
        """
        # Every draw is made whatever the fields say: turning one off leaves the others alone.
        scale = rng.uniform(*self.scale_range)
        fractions = rng.random(2)
        mirrored = rng.random() < 0.5
        windows, shown = [], []
        for extent, crop, fraction in zip(label.shape, self.crop_size, fractions, strict=True):
            scaled = max(1, round(extent * scale))
            start = int(fraction * (max(scaled - crop, 0) + 1))
            stop = min(start + crop, scaled)
            first = math.floor(start * extent / scaled)
            last = min(extent, math.ceil(stop * extent / scaled))
            windows.append(slice(first, last))
            shown.append(stop - start)
        window = tuple(windows)
        image, label = resize_pair(image[window], label[window], (shown[0], shown[1]))
        if self.flip and mirrored:
            image, label = image[:, ::-1], label[:, ::-1]
        if (shown[0], shown[1]) == tuple(self.crop_size):
            return image, label
        padded = np.empty((*self.crop_size, 3), np.uint8)
        padded[:] = PAD_COLOR
        padded[: shown[0], : shown[1]] = image
        padded_label = np.full(self.crop_size, IGNORE_LABEL, np.uint8)
        padded_label[: shown[0], : shown[1]] = label
        return padded, padded_label
