"""Outlines of labelling tools as masks: what LabelMe, CVAT and Supervisely have in common."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool

from seg_jax.data.formats import polygons
from seg_jax.data.image_header import read_size

_CORNERS = 128
"""Corners of the polygon that stands for an ellipse: off by 0.03 % of its radius at most."""


class Drawing(NamedTuple):
    """The shapes of an image.

    Attributes:
        size: (height, width) of the image, as the labels' file states it.
        masks: the name of each shape and its pixels, in drawing order; made one by one, since
            each is as large as the image.
    """

    size: tuple[int, int]
    masks: Iterator[tuple[str, Bool[np.ndarray, "h w"]]]


def box(
    left: float, top: float, right: float, bottom: float, size: tuple[int, int]
) -> Bool[np.ndarray, "h w"]:
    """Returns the pixels of a rectangle given by two opposite corners, in any order."""
    return polygons.fill([left, top, right, top, right, bottom, left, bottom], size)


def ellipse(
    x: float, y: float, radius_x: float, radius_y: float, size: tuple[int, int]
) -> Bool[np.ndarray, "h w"]:
    """Returns the pixels of an ellipse whose axes are those of the image."""
    turn = [2 * math.pi * corner / _CORNERS for corner in range(_CORNERS)]
    corners = [(x + radius_x * math.cos(t), y + radius_y * math.sin(t)) for t in turn]
    return polygons.fill([value for corner in corners for value in corner], size)


def paste(
    patch: Bool[np.ndarray, "h2 w2"], left: int, top: int, size: tuple[int, int]
) -> Bool[np.ndarray, "h w"]:
    """Returns a mask that is `patch` at (left, top), cut off at the image's edges."""
    mask = np.zeros(size, bool)
    height, width = patch.shape
    rows = slice(max(top, 0), max(top + height, 0))
    columns = slice(max(left, 0), max(left + width, 0))
    target = mask[rows, columns]
    cut = patch[max(-top, 0) :, max(-left, 0) :]
    target[...] = cut[: target.shape[0], : target.shape[1]]
    return mask


def decode_patch(png: bytes, flags: int, size: tuple[int, int]) -> np.ndarray:
    """Decodes a PNG that lies within a label file.

    Args:
        png: its bytes.
        flags: those of `cv2.imdecode`.
        size: (height, width) of the image, which it cannot exceed.

    Raises:
        ValueError: it is not a whole PNG, or larger than the image.
    """
    height, width = read_size(png) or (0, 0)
    if height > size[0] or width > size[1]:
        raise ValueError(
            f"a mask of {height} x {width} px (height x width) is larger than its image, which is "
            f"{size[0]} x {size[1]} px"
        )
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), flags) if height else None
    if pixels is None:
        raise ValueError(f"the {len(png)} bytes of a mask are not a whole PNG")
    return pixels


def two_points(points: Any, what: str) -> list[float]:
    """Returns the [(x0, y0), (x1, y1)] of a JSON file as [x0, y0, x1, y1].

    Raises:
        ValueError: there are more or fewer points; the message begins with `what`.
    """
    if len(points) != 2:
        raise ValueError(f"{what} has {len(points)} points, but two say where it is")
    return flat(points)


def flat(points: Any) -> list[float]:
    """Returns the [(x, y), ...] of a JSON file as [x, y, ...].

    Raises:
        ValueError: a point is not a pair.
    """
    return [float(value) for x, y in points for value in (x, y)]
