"""Label pictures as the numbers they store, which image libraries do not always give.

OpenCV turns a palette PNG into colours and stretches grey of 1, 2 or 4 bits to 0..255; the
class ids are the numbers before that. A palette cannot be undone by its colours, since
several entries may share one. Both are read as grey here, the palette left away (PNG
specification, https://www.w3.org/TR/png-3/, sections 11.2.1 and 11.2.2).
"""

import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _PALETTE = 0, 3
_BYTE = 8


def decode_levels(data: bytes) -> np.ndarray | None:
    """Decodes a picture, indices and grey levels as they are stored.

    Args:
        data: the encoded picture.

    Returns:
        [h, w] of grey levels or indices, or [h, w, 3 or 4] in OpenCV's order of channels; None
        where the bytes are not a whole picture.
    """
    if not data:
        return None
    depth, kind = _header(data)
    if kind == _PALETTE:
        data = _as_grey(data)
    levels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if levels is None or kind not in (_GREY, _PALETTE) or depth >= _BYTE:
        return levels
    return levels // np.uint8(255 // (2**depth - 1))


def _header(data: bytes) -> tuple[int, int]:
    """Returns bit depth and colour type of a PNG, (0, -1) of anything else."""
    if data[:8] != _SIGNATURE or len(data) < 26:
        return 0, -1
    return data[24], data[25]


def _as_grey(data: bytes) -> bytes:
    """Returns a palette PNG as a grey one of the same numbers."""
    kept = [_SIGNATURE]
    for kind, body in _chunks(data):
        if kind == b"IHDR":
            body = body[:9] + bytes([_GREY]) + body[10:]
        # Others, such as the palette and its transparency, mean nothing in a grey PNG.
        if kind in (b"IHDR", b"IDAT", b"IEND"):
            sum_ = struct.pack(">I", zlib.crc32(kind + body))
            kept += [struct.pack(">I", len(body)), kind, body, sum_]
    return b"".join(kept)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields the chunks; stops at one that is cut off or damaged, so that decoding fails."""
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if data[at + 8 + length : at + 12 + length] != struct.pack(">I", zlib.crc32(kind + body)):
            return
        yield kind, body
        at += 12 + length
