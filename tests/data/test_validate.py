import zlib

import cv2
import numpy as np
import pytest

from seg_jax.data.validate import (
    DataError,
    Origin,
    check_example,
    decode_image,
    decode_label,
    encode_png,
)

ORIGIN = Origin("camvid", "val", "frame_7", "val/frame_7.png", "valannot/frame_7.png")
IMAGE = np.random.default_rng(0).integers(0, 256, (9, 14, 3), np.uint8)
LABEL = np.random.default_rng(1).choice(np.uint8([0, 1, 2, 255]), (9, 14))


def check(image: bytes | None = None, label: bytes | None = None) -> None:
    image = encode_png(IMAGE) if image is None else image
    label = encode_png(LABEL) if label is None else label
    check_example(image, label, 3, ORIGIN)


def with_value(value: int) -> bytes:
    label = LABEL.copy()
    label[2, 3:5] = value
    return encode_png(label)


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :]


def test_a_sound_example_passes_and_decodes_to_what_was_encoded():
    check()
    np.testing.assert_array_equal(decode_image(encode_png(IMAGE), ORIGIN), IMAGE)
    np.testing.assert_array_equal(decode_label(encode_png(LABEL), ORIGIN), LABEL)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"image": b""}, r"image .*val/frame_7.png.* its 0 bytes are not a whole image"),
        ({"image": b"no picture"}, "cannot be decoded"),
        ({"image": encode_png(IMAGE)[:-40]}, "cannot be decoded"),
        ({"image": flipped(encode_png(IMAGE))}, "cannot be decoded"),
        ({"image": cv2.imencode(".jpg", IMAGE)[1].tobytes()[:-200]}, "cannot be decoded"),
        ({"label": encode_png(LABEL)[:-20]}, r"label .*valannot/frame_7.png.*cannot be decoded"),
        ({"label": encode_png(IMAGE)}, "has 3 channels"),
        ({"label": cv2.imencode(".png", LABEL.astype(np.uint16))[1].tobytes()}, "uint16"),
        ({"label": encode_png(LABEL[:, :-1])}, "9 x 13 px but its image is 9 x 14 px"),
        ({"label": with_value(3)}, r"values \[3\] in 2 pixels, but allowed are 0..2 and 255"),
        ({"label": with_value(254)}, r"values \[254\]"),
    ],
)
def test_each_fault_names_the_example_and_itself(fault, message):
    with pytest.raises(DataError, match=message) as raised:
        check(**fault)
    for part in ("camvid", "'val'", "'frame_7'"):
        assert part in str(raised.value)


def claiming(data: bytes, height: int, width: int) -> bytes:
    """Returns the PNG with another size in its header, its checksum right."""
    header = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + data[24:29]
    return data[:12] + header + zlib.crc32(header).to_bytes(4, "big") + data[33:]


@pytest.mark.parametrize("part", ["image", "label"])
def test_a_picture_of_too_many_pixels_is_not_decoded(part, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("was decoded"))
    bomb = claiming(encode_png(LABEL), 60_000, 50_000)
    decode = decode_image if part == "image" else decode_label
    with pytest.raises(DataError, match=rf"{part} .*claims 60000 x 50000 px .*100,000,000") as e:
        decode(bomb, ORIGIN)
    assert "frame_7" in str(e.value)


def test_the_largest_picture_that_is_decoded():
    def decoded(height):
        image = np.zeros((height, 10_000, 3), np.uint8)
        return decode_image(encode_png(image), ORIGIN)

    assert decoded(10_000).shape == (10_000, 10_000, 3)
    with pytest.raises(DataError, match="claims 10001 x 10000 px"):
        decoded(10_001)


def test_a_bomb_of_another_format_meets_the_limit_of_opencv():
    bitmap = bytearray(cv2.imencode(".bmp", IMAGE)[1].tobytes())
    bitmap[18:26] = (60_000).to_bytes(4, "little") * 2
    with pytest.raises(DataError, match=r"cannot be decoded .*CV_IO_MAX_IMAGE_PIXELS"):
        decode_image(bytes(bitmap), ORIGIN)


def test_an_image_is_not_turned_by_its_exif_tag():
    jpeg = cv2.imencode(".jpg", IMAGE)[1].tobytes()
    # An APP1 segment whose one entry is orientation 6, a quarter turn.
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    body = b"Exif\0\0" + tiff
    turned = jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]
    assert cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR).shape[:2] == (14, 9)
    assert decode_image(turned, ORIGIN).shape[:2] == (9, 14)
