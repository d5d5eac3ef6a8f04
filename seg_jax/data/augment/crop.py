"""The window of the source that a crop shows: where it lies, and how it is cut out.

The crop that no single class may fill is mmsegmentation's RandomCrop with `cat_max_ratio`.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from seg_jax.data.augment.layers import Layers
from seg_jax.data.views import resize_pair
from seg_jax.labels import IGNORE_LABEL

PAD_COLOR = (124, 116, 104)
"""The mean of ImageNet: padding becomes about zero after normalisation."""


class Span(NamedTuple):
    """What the crop shows along one axis.

    Attributes:
        first: first pixel of the source that is shown.
        last: the pixel after the last one.
        shown: pixels of the crop, from its start on, that they fill; the rest is padding.
    """

    first: int
    last: int
    shown: int


Window = tuple[Span, Span]
"""Rows and columns."""

_FLIP_CODES = {(True, False): 0, (False, True): 1, (True, True): -1}
"""What OpenCV calls exchanging (rows, columns)."""


def choose_window(
    label: UInt8[np.ndarray, "h w"],
    size: tuple[int, int],
    crop_size: tuple[int, int],
    positions: Float[np.ndarray, "n 2"],
    max_class_ratio: float,
) -> Window:
    """Returns the first window in which no class takes too much of the crop.

    Args:
        label: class ids of the source.
        size: (height, width) to which the whole source would be resized.
        crop_size: (height, width) of the crop.
        positions: candidates, uniform in [0, 1); the last one is taken unseen.
        max_class_ratio: share of the counted pixels below which every class stays; 1 takes
            the first window.
    """
    *tried, last = positions
    for position in tried:
        window = _window(label.shape, size, crop_size, position)
        if max_class_ratio >= 1 or _is_mixed(_shown_label(label, window), max_class_ratio):
            return window
    return _window(label.shape, size, crop_size, last)


def cut(layers: Layers, window: Window, mirrored: tuple[bool, bool]) -> Layers:
    """Returns what the crop shows of the source, at the size and the way round it shows it.

    Resizes only the window: three to five times cheaper than resizing the whole image, for
    the same geometry up to a pixel of the source, and all layers share the difference.

    Args:
        layers: the whole picture.
        window: from `choose_window`.
        mirrored: whether (rows, columns) run backwards.
    """
    slices = tuple(slice(span.first, span.last) for span in window)
    image, label, border = layers
    rows, columns = window
    image, label = resize_pair(image[slices], label[slices], (rows.shown, columns.shown))
    if border is not None:
        border = cv2.resize(border[slices], (columns.shown, rows.shown))
    if not any(mirrored):
        return Layers(image, label, border)
    # Not a view with negative strides: every copy of one is ten times slower.
    image, label = cv2.flip(image, _FLIP_CODES[mirrored]), cv2.flip(label, _FLIP_CODES[mirrored])
    return Layers(
        image, label, border if border is None else cv2.flip(border, _FLIP_CODES[mirrored])
    )


def pad(layers: Layers, size: tuple[int, int], color: tuple[int, int, int]) -> Layers:
    """Pads below and to the right to `size`, with a colour, IGNORE_LABEL and no weight."""
    image, label, border = layers
    height, width = label.shape
    if (height, width) == tuple(size):
        return layers
    margins = (0, size[0] - height, 0, size[1] - width, cv2.BORDER_CONSTANT)
    return Layers(
        cv2.copyMakeBorder(image, *margins, value=color),
        cv2.copyMakeBorder(label, *margins, value=IGNORE_LABEL),
        border if border is None else cv2.copyMakeBorder(border, *margins, value=0.0),
    )


def _window(
    shape: tuple[int, ...],
    size: tuple[int, int],
    crop_size: tuple[int, int],
    position: Float[np.ndarray, "2"],
) -> Window:
    rows, columns = (
        _span(*axis) for axis in zip(shape, size, crop_size, position.tolist(), strict=True)
    )
    return rows, columns


def _span(extent: int, scaled: int, crop: int, fraction: float) -> Span:
    start = int(fraction * (max(scaled - crop, 0) + 1))
    stop = min(start + crop, scaled)
    first = math.floor(start * extent / scaled)
    last = min(extent, math.ceil(stop * extent / scaled))
    return Span(first, last, stop - start)


def _shown_label(label: UInt8[np.ndarray, "h w"], window: Window) -> UInt8[np.ndarray, "h2 w2"]:
    rows, columns = window
    return cv2.resize(
        label[rows.first : rows.last, columns.first : columns.last],
        (columns.shown, rows.shown),
        interpolation=cv2.INTER_NEAREST_EXACT,
    )


def _is_mixed(label: UInt8[np.ndarray, "h w"], max_class_ratio: float) -> bool:
    """Whether two classes or more are there and none takes the ratio; ignored pixels aside."""
    counts = cv2.calcHist([label], [0], None, [256], [0, 256]).ravel().astype(np.int64)
    counts = np.delete(counts, IGNORE_LABEL)
    return bool(np.count_nonzero(counts) > 1 and counts.max() / counts.sum() < max_class_ratio)
