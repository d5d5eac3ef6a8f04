import struct

import cv2
import numpy as np
import pytest

from seg_jax.data.datasets.tiff import count_pages, read_page
from seg_jax.data.validate import DataError, Origin

ORIGIN = Origin("toy", "train", "a", "stack.tif", "labels.tif")
PAGES = [np.full((4, 5), value, np.uint8) for value in (3, 0, 255)]


@pytest.fixture
def stack(tmp_path):
    file = tmp_path / "stack.tif"
    cv2.imwritemulti(str(file), PAGES)
    return file


def test_every_page_is_read_by_its_number(stack):
    assert count_pages(stack) == len(PAGES)
    for number, page in enumerate(PAGES):
        np.testing.assert_array_equal(read_page(stack, number, "image", ORIGIN), page)


def test_an_absent_page_is_named(stack):
    with pytest.raises(DataError, match=r"image of example 'a'.*page 3 is damaged or absent"):
        read_page(stack, 3, "image", ORIGIN)


def test_a_file_that_is_not_tiff_is_refused(tmp_path):
    file = tmp_path / "stack.tif"
    file.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"stack.tif is not a whole TIFF file"):
        count_pages(file)
    with pytest.raises(DataError, match=r"label of example 'a'.*page 0 is damaged or absent"):
        read_page(file, 0, "label", ORIGIN)


@pytest.mark.parametrize("page", [np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5), np.uint16)])
def test_only_grey_pages_of_8_bit_are_read(tmp_path, page):
    file = tmp_path / "stack.tif"
    cv2.imwrite(str(file), page)
    with pytest.raises(DataError, match=r"page 0 of shape .* grey with 8 bit"):
        read_page(file, 0, "image", ORIGIN)


def test_a_header_that_claims_too_much_is_refused(stack):
    data = bytearray(stack.read_bytes())
    (directory,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, directory)
    for place in range(directory + 2, directory + 2 + 12 * entries, 12):
        (tag,) = struct.unpack_from("<H", data, place)
        if tag in (256, 257):  # width and height
            struct.pack_into("<HHII", data, place, tag, 4, 1, 60_000)
    stack.write_bytes(data)
    with pytest.raises(DataError, match="page 0 is damaged or absent"):
        read_page(stack, 0, "image", ORIGIN)
