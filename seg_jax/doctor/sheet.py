"""The contact sheet as one picture: image and painted label side by side, and a legend."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import UInt8

from seg_jax.data.spec import DatasetSpec
from seg_jax.doctor.pictures import Shown, classes_of
from seg_jax.predict.overlay import UNPAINTED

_SIDE = 320
"""Width in pixels of an image on the sheet."""

_PAIRS = 2
"""Examples in a row."""

_GAP = 12
_CAPTION = 30
_LINE = 24
_SWATCH = 16
_PAPER, _INK, _MUTED = 255, (28, 33, 40), (91, 100, 112)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_STRIPE = 4


def draw_sheet(spec: DatasetSpec, shown: Sequence[Shown]) -> UInt8[np.ndarray, "h w 3"]:
    """Returns the sheet in RGB: two examples a row, each image beside its painted label."""
    width = _PAIRS * 2 * _SIDE + (2 * _PAIRS + 1) * _GAP
    rows = [_row(shown[i : i + _PAIRS], width) for i in range(0, len(shown), _PAIRS)]
    return np.concatenate([*rows, _legend(spec, shown, width)])


def _row(pairs: Sequence[Shown], width: int) -> UInt8[np.ndarray, "h w 3"]:
    scaled = [(_scaled(one.image), _scaled(one.overlay)) for one in pairs]
    height = max(image.shape[0] for image, _ in scaled) + _CAPTION + _GAP
    row = np.full((height, width, 3), _PAPER, np.uint8)
    for i, (one, pictures) in enumerate(zip(pairs, scaled, strict=True)):
        left = _GAP + i * 2 * (_SIDE + _GAP)
        caption = f"{one.split}/{one.id}" + (f"  ({one.why})" if one.why else "")
        _write(row, _cut(caption, 2 * _SIDE + _GAP), (left, _CAPTION - 10), _INK)
        for picture in pictures:
            h, w = picture.shape[:2]
            row[_CAPTION : _CAPTION + h, left : left + w] = picture
            left += _SIDE + _GAP
    return row


def _scaled(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    scale = _SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    return cv2.resize(picture, size, interpolation=how)


def _legend(spec: DatasetSpec, shown: Sequence[Shown], width: int) -> UInt8[np.ndarray, "h w 3"]:
    """Returns swatches and names of the classes that are shown, in columns."""
    ids = classes_of(shown)
    names = [f"{k} {spec.classes[k]}" for k in ids] + ["255 ignored"]
    column = max(_text_width(name) for name in names) + _SWATCH + 3 * _GAP
    columns = max(1, (width - _GAP) // column)
    lines = -(-len(names) // columns)
    box = np.full((lines * _LINE + 2 * _GAP, width, 3), _PAPER, np.uint8)
    for i, name in enumerate(names):
        left = _GAP + i // lines * column
        top = _GAP + i % lines * _LINE
        swatch = box[top : top + _SWATCH, left : left + _SWATCH]
        if i == len(ids):
            swatch[:] = _stripes()
        elif spec.classes[ids[i]] != UNPAINTED:
            swatch[:] = spec.palette[ids[i]]
        cv2.rectangle(box, (left, top), (left + _SWATCH - 1, top + _SWATCH - 1), _MUTED, 1)
        _write(box, name, (left + _SWATCH + _GAP // 2, top + _SWATCH - 3), _INK)
    return box


def _stripes() -> np.ndarray:
    y, x = np.indices((_SWATCH, _SWATCH))
    return np.where((x + y) // _STRIPE % 2, 40, 235).astype(np.uint8)[..., None]


def _write(picture: np.ndarray, text: str, at: tuple[int, int], colour) -> None:
    cv2.putText(picture, _plain(text), at, _FONT, 0.48, colour, 1, cv2.LINE_AA)


def _cut(text: str, width: int) -> str:
    if _text_width(text) <= width:
        return text
    while _text_width(text + "...") > width:
        text = text[:-1]
    return text + "..."


def _text_width(text: str) -> int:
    return cv2.getTextSize(_plain(text), _FONT, 0.48, 1)[0][0]


def _plain(text: str) -> str:
    # The font has no other letters.
    return text.encode("ascii", "replace").decode()
