"""COCO's panoptic label pictures: every colour is a segment, a table gives its category.

Kirillov et al., "Panoptic Segmentation" (arXiv:1801.00868); the encoding is that of
https://cocodataset.org/#format-data, section "Panoptic Segmentation".
"""

from collections.abc import Mapping

import cv2
import numpy as np
from jaxtyping import Int32, UInt8

from seg_jax.data.validate import Origin, decode_pixels
from seg_jax.labels import IGNORE_LABEL

VOID = 0
"""Segment of the pixels that were not annotated."""


def decode_segments(data: bytes, origin: Origin) -> Int32[np.ndarray, "h w"]:
    """Decodes a label picture to segment ids, R + 256 G + 65536 B.

    Raises:
        DataError: the bytes are not a whole picture of three 8-bit channels.
    """
    pixels = decode_pixels(data, cv2.IMREAD_UNCHANGED, "label", origin)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise origin.fault(
            "label",
            f"has the shape {pixels.shape} and {pixels.dtype} values, but a panoptic picture has "
            "three 8-bit channels. Use the panoptic PNGs, not their previews or label maps.",
        )
    blue, green, red = (channel.astype(np.int32) for channel in cv2.split(pixels))
    return red + 256 * green + 65536 * blue


def class_ids(
    segments: Int32[np.ndarray, "h w"], class_of: Mapping[int, int], origin: Origin
) -> UInt8[np.ndarray, "h w"]:
    """Replaces segment ids by class ids, VOID by IGNORE_LABEL.

    Args:
        segments: segment ids.
        class_of: segment id -> class id.
        origin: where they come from.

    Raises:
        DataError: a segment of the picture is not in the table.
    """
    table = {**class_of, VOID: IGNORE_LABEL}
    known = np.array(sorted(table), np.int32)
    place = np.searchsorted(known, segments)
    missing = segments[known[place.clip(max=known.size - 1)] != segments]
    if missing.size:
        ids = np.unique(missing).tolist()
        raise origin.fault(
            "label",
            f"holds the segments {ids[:10]} in {missing.size} pixels, which its JSON file does "
            "not list under `segments_info`. Take pictures and JSON from the same release.",
        )
    return np.array([table[segment] for segment in known.tolist()], np.uint8)[place]
