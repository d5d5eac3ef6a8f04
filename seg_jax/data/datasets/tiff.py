"""Microscopy in TIFF: grey 8-bit pages of a stack, or the one page of a frame."""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from seg_jax.data.validate import DataError, Origin


def count_pages(file: Path) -> int:
    """Returns the number of pages of a TIFF file.

    Raises:
        DataError: the file is not one.
    """
    pages = cv2.imcount(str(file), cv2.IMREAD_UNCHANGED)
    if pages < 1:
        raise DataError(f"{file} is not a whole TIFF file. Fetch or unpack it again.")
    return pages


def read_page(file: Path, page: int, part: str, origin: Origin) -> UInt8[np.ndarray, "h w"]:
    """Returns one page.

    Args:
        file: the TIFF file.
        page: which, from 0.
        part: what it is of the example, "image" or "label", for messages.
        origin: the example.

    Raises:
        DataError: the page cannot be decoded, or is not grey with 8 bit.
    """
    try:
        _, pages = cv2.imreadmulti(str(file), page, 1, flags=cv2.IMREAD_UNCHANGED)
    except cv2.error:  # raised for sizes beyond OpenCV's own limit
        pages = ()
    if not pages:
        raise origin.fault(
            part, f"cannot be decoded: its page {page} is damaged or absent. {origin.remedy()}"
        )
    pixels = pages[0]
    if pixels.ndim != 2 or pixels.dtype != np.uint8:
        raise origin.fault(
            part,
            f"has a page {page} of shape {pixels.shape} and type {pixels.dtype}, but pages are "
            f"grey with 8 bit. {origin.remedy()}",
        )
    return pixels
