"""Files that a prediction leaves: a mask whose pixels are class ids, and an overlay to look at."""

import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

_JPEG_QUALITY = 92


def encode_mask(
    classes: UInt8[np.ndarray, "h w"], palette: Sequence[tuple[int, int, int]]
) -> bytes:
    """Encodes class ids as a palette PNG, as VOC's labels are: ids to programs, colours to eyes.

    OpenCV writes no palettes, so the four chunks are put together here (PNG specification,
    third edition, section 11.2).

    Args:
        classes: class id of each pixel, below the length of `palette`.
        palette: RGB of each class, 1 to 256.
    """
    height, width = classes.shape
    indexed_8_bit = struct.pack(">2I5B", width, height, 8, 3, 0, 0, 0)
    rows = np.zeros((height, 1 + width), np.uint8)  # a 0 in front of each row: not filtered
    rows[:, 1:] = classes
    chunks = (
        (b"IHDR", indexed_8_bit),
        (b"PLTE", np.array(palette, np.uint8).tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 6)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def encode_jpeg(picture: UInt8[np.ndarray, "h w 3"]) -> bytes:
    """Encodes an RGB picture as JPEG."""
    pixels = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    return cv2.imencode(".jpg", pixels, quality)[1].tobytes()


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file under its name once it is complete; makes its folder.

    Raises:
        OSError: the disk is full, or the folder may not be written to.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OSError(f"{str(path)!r} cannot be written ({error.strerror}).") from error
