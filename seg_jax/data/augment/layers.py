"""What the geometry of an augmentation moves together: the picture and what lies on it."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8


class Layers(NamedTuple):
    """One picture.

    Attributes:
        image: RGB; interpolated, a given colour outside the source.
        label: class ids; the nearest pixel's, IGNORE_LABEL outside the source.
        border: weights of pixels between objects, or None; interpolated, 0 outside the source.
    """

    image: UInt8[np.ndarray, "h w 3"]
    label: UInt8[np.ndarray, "h w"]
    border: Float32[np.ndarray, "h w"] | None = None
