"""Pictures of labels and predictions for the logs: small, painted, side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from seg_jax.logs.writer import Picture

Palette = Sequence[Sequence[int]]
"""RGB by class id."""

SIDE = 512
"""Longest side in pixels of each part of a picture: a log holds many."""
_GAP = 4
_CAPTION = 22
_PAPER, _INK = 255, (28, 33, 40)
_STRIPE = 4


def paint(ids: UInt8[np.ndarray, "h w"], palette: Palette) -> Picture:
    """Paints class ids in their colours; ids without one, such as IGNORE_LABEL, are striped."""
    table = np.zeros((256, 3), np.uint8)
    table[: len(palette)] = np.array(palette, np.uint8)
    y, x = np.indices(ids.shape)
    stripes = np.where((x + y) // _STRIPE % 2, 40, 235).astype(np.uint8)[..., None]
    return np.where((ids < len(palette))[..., None], table[ids], stripes)


def side_by_side(*parts: Picture) -> Picture:
    """Joins pictures of one height from left to right, with a gap between them."""
    gap = np.full((parts[0].shape[0], _GAP, 3), _PAPER, np.uint8)
    joined = [piece for part in parts for piece in (gap, part)]
    return np.concatenate(joined[1:], axis=1)


def compare(
    image: Picture,
    label: UInt8[np.ndarray, "h w"],
    prediction: UInt8[np.ndarray, "h w"],
    palette: Palette,
) -> Picture:
    """Returns the image, what it should give and what it gave, side by side."""
    painted = (paint(_fit(ids), palette) for ids in (label, prediction))
    return side_by_side(_fit(image), *painted)


def compare_all(samples: Mapping[str, np.ndarray], palette: Palette) -> dict[str, Picture]:
    """Returns such a picture of every example by its name.

    Args:
        samples: as an evaluation keeps them: "id", the names, and of the one at place i of it
            "image_i", "label_i" and "prediction_i", all uint8.
        palette: colour of every class.
    """
    return {
        f"predictions/{name}": compare(
            samples[f"image_{place}"],
            samples[f"label_{place}"],
            samples[f"prediction_{place}"],
            palette,
        )
        for place, name in enumerate(map(str, samples["id"]))
    }


def contact_sheet(rows: Sequence[tuple[str, Picture]]) -> Picture:
    """Stacks pictures, each under its caption."""
    width = max(picture.shape[1] for _, picture in rows)
    pieces = []
    for caption, picture in rows:
        height = picture.shape[0]
        piece = np.full((_CAPTION + height, width, 3), _PAPER, np.uint8)
        piece[_CAPTION:, : picture.shape[1]] = picture
        # The font has no other letters.
        text = caption.encode("ascii", "replace").decode()
        where, font = (2, _CAPTION - 7), cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(piece, text, where, font, 0.42, _INK, 1, cv2.LINE_AA)
        pieces.append(piece)
    return np.concatenate(pieces)


def label_row(image: Picture, label: UInt8[np.ndarray, "h w"], palette: Palette) -> Picture:
    """Returns the image and its label side by side."""
    return side_by_side(_fit(image), paint(_fit(label), palette))


def write_png(path: Path, picture: Picture) -> None:
    """Writes a picture as PNG."""
    _, encoded = cv2.imencode(".png", picture[..., ::-1])
    path.write_bytes(encoded.tobytes())


def _fit(array: UInt8[np.ndarray, "h w *c"]) -> UInt8[np.ndarray, "H W *c"]:
    """Scales down to SIDE where it is larger; labels, which have no channels, by picking pixels."""
    scale = SIDE / max(array.shape[:2])
    if scale >= 1:
        return array
    height, width = (max(1, round(n * scale)) for n in array.shape[:2])
    how = cv2.INTER_AREA if array.ndim == 3 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(array, (width, height), interpolation=how), np.uint8)
