"""Pictures that number objects: 8 or 16 bit, PNG or TIFF."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt16

from seg_jax.data.image_header import read_size
from seg_jax.data.validate import Origin, decode_pixels


def read_instances(
    file: Path, origin: Origin, size: tuple[int, ...] | None = None
) -> UInt16[np.ndarray, "h w"]:
    """Returns the number at every pixel of an instance picture.

    Args:
        file: the picture.
        origin: the example it belongs to; messages name `file` in place of its label.
        size: (height, width) of the label it belongs to; None where it is the label.

    Raises:
        DataError: the file is missing, not a whole picture, not one of a single channel, or of
            another size.
    """
    origin = dataclasses.replace(origin, label_path=str(file))
    if not file.is_file():
        raise origin.fault("label", "is missing. Unpack the archive again.")
    data = file.read_bytes()
    # Before decoding, which takes the memory that a damaged header claims.
    _check_size(read_size(data), size, origin)
    numbers = decode_pixels(data, cv2.IMREAD_UNCHANGED, "label", origin)
    if numbers.ndim != 2 or numbers.dtype not in (np.uint8, np.uint16):
        raise origin.fault(
            "label",
            f"has the shape {numbers.shape} of {numbers.dtype}, but a picture of instances has "
            "one channel of 8 or 16 bit. Use the publisher's file, not a coloured copy.",
        )
    _check_size(numbers.shape, size, origin)
    return numbers.astype(np.uint16)


def _check_size(
    own: tuple[int, ...] | None, expected: tuple[int, ...] | None, origin: Origin
) -> None:
    if own and expected and tuple(own) != tuple(expected):
        raise origin.fault(
            "label",
            f"is {own[0]} x {own[1]} px but the label beside it is {expected[0]} x {expected[1]} "
            f"px (height x width). {origin.remedy()}",
        )
