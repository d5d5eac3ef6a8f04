"""U-Net's weights of the gaps between objects (arXiv:1505.04597, section 3, equation 2).

The second summand of w(x) = w_c(x) + w0 exp(-(d1 + d2)^2 / (2 sigma^2)), d1 and d2 the
distances to the nearest and the second nearest object. As in the paper's figure 3 it holds in
the background: a pixel of an object has the weight of its class alone, and so has the line
along which two objects touch with no background between them.
"""

import contextlib
import math

import cv2
import numpy as np
from jaxtyping import Float32, UInt16
from scipy import ndimage

from seg_jax.data.example import Example, Source, instances_of
from seg_jax.data.validate import DataError

NEGLIGIBLE = 1e-3
"""Share of w0 below which the weight is 0, which is at d1 + d2 > 3.7 sigma."""


def border_weights(
    instances: UInt16[np.ndarray, "h w"], weight: float, sigma: float
) -> Float32[np.ndarray, "h w"]:
    """Returns what a pixel between two objects counts beside its class.

    Distances are Euclidean and exact, from a pixel's centre to that of the object's nearest
    pixel. Each object is looked at in its box and a margin alone, outside which it gives no
    weight.

    Args:
        instances: number of the object that each pixel belongs to, 0 for none.
        weight: w0, the limit where two objects meet.
        sigma: how fast the weight falls with the width of the gap, in pixels.

    Returns:
        The weights; 0 inside the objects, and everywhere where there are fewer than two.
    """
    reach = sigma * math.sqrt(-2 * math.log(NEGLIGIBLE))
    margin = math.ceil(reach)
    nearest, second = (np.full(instances.shape, np.inf, np.float32) for _ in range(2))
    boxes = ndimage.find_objects(instances.astype(np.int32))
    for number, box in enumerate(boxes, start=1):
        if box is None:
            continue
        window = tuple(slice(max(0, side.start - margin), side.stop + margin) for side in box)
        outside = (instances[window] != number).astype(np.uint8)
        distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        first = nearest[window]
        second[window] = np.minimum(second[window], np.maximum(first, distance))
        nearest[window] = np.minimum(first, distance)
    gap = nearest + second
    weights = np.float32(weight) * np.exp(-np.square(gap / np.float32(sigma)) / 2)
    return np.where((gap <= reach) & (instances == 0), weights, np.float32(0))


class BorderSource:
    """The examples of a source with their "border" weights, which are kept in memory.

    They are of the pictures as the source gives them, before augmentation, which carries them
    along as it does the image. Takes 4 bytes a pixel. Wrap it around what resizes and caches:
    `sigma` is then in pixels of what is trained on.
    """

    def __init__(self, source: Source, weight: float, sigma: float):
        """Wraps the source.

        Args:
            source: a split that knows the objects of its labels.
            weight: see `border_weights`.
            sigma: see `border_weights`.

        Raises:
            ValueError: the weight or sigma is not positive, or there are no objects.
        """
        for field, value in (("border_weight", weight), ("border_sigma", sigma)):
            if not (math.isfinite(value) and value > 0):
                raise ValueError(
                    f"config.loss.{field}={value} must be a positive number for weights between "
                    f"objects; config.loss.border_weight=0 does without."
                )
        if len(source):
            # A picture that cannot be read is met again in training, which may skip it.
            with contextlib.suppress(DataError):
                _objects(source, 0)
        self._source, self._weight, self._sigma = source, weight, sigma
        self._kept: list[np.ndarray | None] = [None] * len(source)

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int) -> Example:
        example = self._source[index]
        # Two threads may both compute one; they store equal ones, so no lock is needed.
        border = self._kept[index]
        if border is None:
            border = border_weights(_objects(self._source, index), self._weight, self._sigma)
            border.setflags(write=False)
            self._kept[index] = border
        return {**example, "border": border}

    def size(self, index: int) -> tuple[int, int]:
        """Returns (height, width) of an example without decoding it."""
        return self._source.size(index)

    @property
    def checksum(self) -> str:
        """The checksum of the source."""
        return self._source.checksum


def _objects(source: Source, index: int) -> UInt16[np.ndarray, "h w"]:
    try:
        return instances_of(source, index)
    except (KeyError, IndexError):
        raise  # a defect, which LookupError would take in as well
    except LookupError as error:
        raise ValueError(
            f"Weights between objects need a dataset that knows its objects, and this one does "
            f"not: set config.loss.border_weight to 0. ({error})"
        ) from error
