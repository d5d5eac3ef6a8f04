"""The size of a PNG or JPEG from its first bytes, without decoding it.

A picture of some kilobytes can claim, and decode to, gigabytes of pixels. Reading what it
claims costs microseconds. Layouts: PNG specification (W3C, third edition), section 11.2.1;
JPEG, ITU-T T.81, section B.2.2.
"""

import struct

MAX_PIXELS = 100_000_000
"""Pixels of an image that are decoded at most: twice the largest camera in common use, five
times the largest picture of Mapillary Vistas; 300 MB in RGB."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
# SOF0 to SOF15 but DHT (C4), JPG (C8) and DAC (CC), which share their range of numbers.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# TEM and RST0 to EOI: markers that no length follows.
_BARE = frozenset([0x01, *range(0xD0, 0xDA)])


def read_size(data: bytes) -> tuple[int, int] | None:
    """Returns (height, width) as the file claims it; None where it is neither PNG nor JPEG.

    Also None where the file ends before it says so. The EXIF orientation is not applied.
    """
    if data.startswith(_PNG):
        return _png_size(data)
    if data.startswith(_JPEG):
        return _jpeg_size(data)
    return None


def _png_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 24 or data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return height, width


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    place = 2
    while place + 9 <= len(data):
        marker = data[place + 1]
        if data[place] != 0xFF:
            return None
        if marker == 0xFF:  # a fill byte before the marker
            place += 1
        elif marker in _BARE:
            place += 2
        elif marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, place + 5)
            return height, width
        else:
            place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return None
