"""Draws classes over the picture they were predicted for, with a legend below."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import UInt8

UNPAINTED = "background"
"""Class that is no object: it keeps the picture's own colours."""

_OPACITY = 0.5
_PAPER = 255
_INK = (30, 30, 30)
_FRAME = (150, 150, 150)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_CAPITALS = 22
"""Height in pixels of the font's capitals at scale 1."""

_TEXT_HEIGHTS = (11, 40)
"""Lowest and highest capitals in pixels; between the two they grow with the picture."""


def draw_overlay(
    picture: UInt8[np.ndarray, "h w 3"],
    classes: UInt8[np.ndarray, "h w"],
    palette: Sequence[tuple[int, int, int]],
    legend: Sequence[tuple[int, str]],
    *,
    unpainted: int | None,
) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Returns the picture with its classes in colour, outlined, on top of a legend.

    Args:
        picture: RGB.
        classes: class id of each pixel.
        palette: RGB of each class.
        legend: (class id, text) in the order of the entries.
        unpainted: class id that keeps the picture's colours, if any.

    Returns:
        RGB, at least as wide and taller than the picture.
    """
    colours = np.array(palette, np.uint8)[classes]
    opacity = np.full(classes.shape, _OPACITY, np.float32)
    opacity[_outlines(classes)] = 1.0
    opacity[classes == unpainted] = 0.0
    blended = picture + opacity[..., None] * (colours.astype(np.float32) - picture)
    painted = np.rint(blended).astype(np.uint8)
    box = _legend([(palette[index], text, index == unpainted) for index, text in legend], painted)
    width = max(painted.shape[1], box.shape[1])
    return np.concatenate([_widened(painted, width), _widened(box, width)])


def _outlines(classes: UInt8[np.ndarray, "h w"]) -> np.ndarray:
    """Returns which pixels lie at a border between classes [h, w]; wider in large pictures."""
    side = 2 * max(1, round(min(classes.shape) / 300)) + 1
    square = np.ones((side, side), np.uint8)
    return cv2.dilate(classes, square) != cv2.erode(classes, square)


def _legend(
    entries: Sequence[tuple[tuple[int, int, int], str, bool]], picture: np.ndarray
) -> UInt8[np.ndarray, "h w 3"]:
    """Returns (colour, text, hollow) entries in columns that fill the picture's width."""
    capitals = int(np.clip(min(picture.shape[:2]) / 32, *_TEXT_HEIGHTS))
    scale, stroke = capitals / _CAPITALS, max(1, capitals // 10)
    widest = max(cv2.getTextSize(text, _FONT, scale, stroke)[0][0] for _, text, _ in entries)
    line, margin = 2 * capitals, capitals
    column = margin + line + widest + margin
    columns = max(1, min(len(entries), picture.shape[1] // column))
    rows = -(-len(entries) // columns)
    height, width = margin + rows * line, columns * column
    box = np.full((height, width, 3), _PAPER, np.uint8)
    for index, (colour, text, hollow) in enumerate(entries):
        left = margin + index // rows * column
        base = margin // 2 + index % rows * line + (line + capitals) // 2
        corners = (left, base - capitals - 2), (left + line - margin // 2, base + 2)
        if not hollow:
            cv2.rectangle(box, *corners, colour, cv2.FILLED)
        cv2.rectangle(box, *corners, _FRAME, 1)
        cv2.putText(box, text, (left + line, base), _FONT, scale, _INK, stroke, cv2.LINE_AA)
    return box


def _widened(picture: np.ndarray, width: int) -> np.ndarray:
    left = (width - picture.shape[1]) // 2
    right = width - picture.shape[1] - left
    return np.pad(picture, ((0, 0), (left, right), (0, 0)), constant_values=_PAPER)
