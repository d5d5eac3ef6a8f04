"""Label pictures in the manner of VOC: class ids as palette, as grey levels or as colours.

VOC's own are PNGs with a palette, which OpenCV expands to colours; the ids are found again by
the colour map of the development kit, exactly. The widely shared SegmentationClassAug holds
grey PNGs whose levels are the ids. Pictures once converted to RGB are read as well, since
their colours say the same.
"""

import numpy as np
from jaxtyping import Int, UInt8

from seg_jax.data.palettes import VOC_CLASSES, voc_palette
from seg_jax.data.validate import DataError, Origin, decode_image, decode_label
from seg_jax.labels import IGNORE_LABEL

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPE = 25
"""Offset in a PNG of the byte that tells how colours are stored (its specification, 11.2.2)."""
_GREY, _RGB, _PALETTE = 0, 2, 3

_SHOWN = 3
"""Unknown colours named in a message."""

RESAVE = "Save class ids as a grey PNG, or take the publisher's file."


def _code(rgb: UInt8[np.ndarray, "*shape 3"]) -> Int[np.ndarray, "*shape"]:
    red, green, blue = np.moveaxis(rgb.astype(np.int32), -1, 0)
    return red << 16 | green << 8 | blue


_IDS = np.array([*range(len(VOC_CLASSES)), IGNORE_LABEL], np.uint8)
_CODES = _code(np.array(voc_palette(256), np.uint8)[_IDS])
_ORDER = np.argsort(_CODES)


def decode_voc_label(data: bytes, origin: Origin) -> UInt8[np.ndarray, "h w"]:
    """Decodes a label picture of one of the three kinds to class ids.

    Raises:
        DataError: it is damaged, not a PNG, has transparency, or a colour that VOC does not use.
    """
    if not data.startswith(_SIGNATURE):
        raise origin.fault(
            "label",
            f"is not a PNG (its {len(data)} bytes begin with {data[:4]!r}): other formats change "
            f"colours and with them classes. {RESAVE}",
        )
    kind = data[_COLOUR_TYPE] if len(data) > _COLOUR_TYPE else _GREY
    if kind == _GREY:
        return decode_label(data, origin)
    if kind not in (_RGB, _PALETTE):
        raise origin.fault(
            "label", f"has a channel of transparency, which no label of VOC has. {RESAVE}"
        )
    try:
        rgb = decode_image(data, origin)
    except DataError as error:  # would blame the image
        raise origin.fault(
            "label", f"cannot be decoded: it is damaged or too large. {origin.remedy()}"
        ) from error
    return _ids_of(rgb, origin)


def _ids_of(rgb: UInt8[np.ndarray, "h w 3"], origin: Origin) -> UInt8[np.ndarray, "h w"]:
    codes = _code(rgb)
    place = np.searchsorted(_CODES, codes, sorter=_ORDER).clip(max=len(_CODES) - 1)
    which = _ORDER[place]
    unknown = _CODES[which] != codes
    if unknown.any():
        colours = np.unique(rgb[unknown], axis=0)
        shown = ", ".join(str(tuple(colour)) for colour in colours[:_SHOWN].tolist())
        more = ", ..." if len(colours) > _SHOWN else ""
        raise origin.fault(
            "label",
            f"has {unknown.sum()} pixels of the colours {shown}{more}, which are not among VOC's "
            f"21 and (224, 224, 192) for void. Labels are never smoothed when resized, and a "
            f"palette has to be VOC's. {RESAVE}",
        )
    return _IDS[which]
