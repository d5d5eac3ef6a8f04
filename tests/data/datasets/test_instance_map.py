import struct
import zlib

import cv2
import numpy as np
import pytest

from seg_jax.data.datasets.instance_map import read_instances
from seg_jax.data.validate import DataError, Origin, encode_png

ORIGIN = Origin("toy", "train", "a", "a.jpg", "a.png")


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_numbers_come_back_as_they_were_written(tmp_path, suffix, dtype):
    numbers = np.array([[0, 1, 200], [np.iinfo(dtype).max, 3, 0]], dtype)
    file = tmp_path / f"numbers{suffix}"
    cv2.imwrite(str(file), numbers)
    read = read_instances(file, ORIGIN)
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read, numbers)


def test_faults_name_the_file_of_the_numbers(tmp_path):
    file = tmp_path / "numbers.png"
    with pytest.raises(DataError, match=r"'a' of toy.*numbers.png\) is missing"):
        read_instances(file, ORIGIN)
    for content in (b"", b"nothing"):
        file.write_bytes(content)
        with pytest.raises(DataError, match=r"numbers.png\) cannot be decoded"):
            read_instances(file, ORIGIN)
    cv2.imwrite(str(file), np.zeros((2, 3, 3), np.uint8))
    with pytest.raises(DataError, match=r"numbers.png\) has the shape \(2, 3, 3\).*coloured"):
        read_instances(file, ORIGIN)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_another_size_than_the_label_is_refused(tmp_path, suffix):
    file, numbers = tmp_path / f"numbers{suffix}", np.ones((2, 3), np.uint16)
    cv2.imwrite(str(file), numbers)
    np.testing.assert_array_equal(read_instances(file, ORIGIN, (2, 3)), numbers)
    with pytest.raises(DataError, match=r"numbers.* is 2 x 3 px but .* is 3 x 2 px"):
        read_instances(file, ORIGIN, (3, 2))


def test_a_header_that_claims_too_much_is_refused_before_decoding(tmp_path):
    file = tmp_path / "numbers.png"
    data = bytearray(encode_png(np.ones((2, 3), np.uint16)))
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    file.write_bytes(data)
    with pytest.raises(DataError, match=r"is 60000 x 60000 px but .* is 2 x 3 px"):
        read_instances(file, ORIGIN, (2, 3))
    with pytest.raises(DataError, match="more than the 100,000,000 pixels"):
        read_instances(file, ORIGIN)
