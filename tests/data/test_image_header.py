import cv2
import numpy as np
import pytest

from seg_jax.data.image_header import read_size

RNG = np.random.default_rng(0)


def segment(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + (len(body) + 2).to_bytes(2, "big") + body


def encode(ending, height, width, *options):
    image = RNG.integers(0, 256, (height, width, 3), np.uint8)
    return cv2.imencode(ending, image, options)[1].tobytes()


@pytest.mark.parametrize("size", [(1, 1), (9, 14), (300, 2), (257, 513)])
@pytest.mark.parametrize(
    ("ending", "options"),
    [
        (".png", ()),
        (".jpg", ()),
        (".jpg", (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
        (".jpg", (cv2.IMWRITE_JPEG_RST_INTERVAL, 1)),
    ],
)
def test_the_size_is_the_one_that_decoding_gives(size, ending, options):
    data = encode(ending, *size, *options)
    assert read_size(data) == size
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape[:2] == size


def test_the_picture_inside_of_a_picture_is_not_taken_for_it():
    outer, thumbnail = encode(".jpg", 30, 40), encode(".jpg", 3, 4)
    data = outer[:2] + segment(0xE1, b"Exif\0\0" + thumbnail) + b"\xff\xff" + outer[2:][1:]
    assert read_size(data) == (30, 40)


def test_tables_that_share_the_numbers_of_frames_are_passed_over():
    outer = encode(".jpg", 30, 40)
    bare = b"\xff\x01"  # a marker without a length
    data = outer[:2] + segment(0xC4, bytes(20)) + bare + segment(0xCC, bytes(20)) + outer[2:]
    assert read_size(data) == (30, 40)


def test_what_does_not_say_its_size_has_none():
    png, jpeg = encode(".png", 5, 6), encode(".jpg", 5, 6)
    for data in (b"", b"GIF89a", b"\xff\xd8", b"\xff\xd8\xff", png[:23], b"\x89PNG\r\n\x1a\n" * 4):
        assert read_size(data) is None
    frame = jpeg.index(b"\xff\xc0")
    assert read_size(jpeg[: frame + 8]) is None
    assert read_size(jpeg[:2] + b"\0\0" + jpeg[4:]) is None
