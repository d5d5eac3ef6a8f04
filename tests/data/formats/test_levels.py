import io

import cv2
import numpy as np
import pytest
from PIL import Image

from seg_jax.data.formats.levels import decode_levels


def encode(picture, **options):
    out = io.BytesIO()
    picture.save(out, "PNG", **options)
    return out.getvalue()


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("transparent", [False, True])
def test_a_palette_gives_its_indices_even_where_colours_repeat(bits, transparent):
    rng = np.random.default_rng(bits)
    indices = rng.integers(0, 2**bits, (9, 13), np.uint8)
    picture = Image.new("P", (13, 9))
    picture.putdata(indices.ravel().tolist())
    picture.putpalette([7, 7, 7] * 2**bits)  # every entry the same: colours tell nothing
    # Two bytes: in a grey PNG they would be the one grey that is transparent.
    options = {"transparency": b"\x00\xff"} if transparent else {}
    data = encode(picture, bits=bits, **options)
    assert data[24] == bits
    assert data[25] == 3
    np.testing.assert_array_equal(decode_levels(data), indices)


def test_grey_of_one_bit_is_0_and_1():
    mask = np.random.default_rng(0).integers(0, 2, (9, 13)).astype(bool)
    data = encode(Image.fromarray(mask))
    assert data[24] == 1
    assert data[25] == 0
    np.testing.assert_array_equal(decode_levels(data), mask.astype(np.uint8))


@pytest.mark.parametrize(
    ("dtype", "ending"),
    [
        (np.uint8, ".png"),
        (np.uint16, ".png"),
        (np.uint8, ".tif"),
        (np.uint16, ".tif"),
        (np.uint8, ".bmp"),
    ],
)
def test_other_pictures_are_what_opencv_makes_of_them(dtype, ending):
    grey = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (5, 7), dtype)
    data = cv2.imencode(ending, grey)[1].tobytes()
    np.testing.assert_array_equal(decode_levels(data), grey)
    color = np.stack([grey, grey // 2, grey // 3], -1)
    data = cv2.imencode(ending, color)[1].tobytes()
    np.testing.assert_array_equal(decode_levels(data), color)


def test_what_is_not_whole_is_none():
    picture = Image.new("P", (40, 40))
    picture.putdata(np.random.default_rng(0).integers(0, 256, 1600).tolist())
    picture.putpalette([7, 7, 7] * 256)
    data = encode(picture)
    damaged = bytearray(data)
    damaged[-40] ^= 1
    for broken in (b"", data[:20], data[: len(data) // 2], bytes(damaged), b"no picture"):
        assert decode_levels(broken) is None
