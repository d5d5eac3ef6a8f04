"""Masks that others can read, and files that are whole or not there."""

import io
import os

import cv2
import numpy as np
import pytest
from PIL import Image

from seg_jax.data.palettes import voc_palette
from seg_jax.predict.results import encode_jpeg, encode_mask, write_whole

CLASSES = np.random.RandomState(0).randint(0, 21, (7, 13)).astype(np.uint8)


def test_a_mask_holds_ids_for_programs_and_colours_for_eyes():
    data = encode_mask(CLASSES, voc_palette(21))
    image = Image.open(io.BytesIO(data))
    assert image.mode == "P"
    np.testing.assert_array_equal(np.asarray(image), CLASSES)
    colours = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    np.testing.assert_array_equal(colours, np.array(voc_palette(21))[CLASSES])


def test_a_mask_takes_256_classes():
    classes = np.arange(256, dtype=np.uint8)[None]
    data = encode_mask(classes, voc_palette(256))
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), classes)


def test_jpeg_keeps_the_order_of_colours():
    picture = np.full((16, 16, 3), (200, 100, 20), np.uint8)
    decoded = np.asarray(Image.open(io.BytesIO(encode_jpeg(picture))))
    assert np.abs(decoded.astype(int) - picture).max() < 4


def test_files_are_written_with_their_folders_and_replaced(tmp_path):
    path = tmp_path / "a" / "b" / "c.png"
    for data in (b"old", b"new"):
        write_whole(path, data)
        assert path.read_bytes() == data
    assert os.listdir(path.parent) == ["c.png"]


@pytest.mark.parametrize("step", ["write_bytes", "replace"])
def test_an_interrupted_write_leaves_what_was_there(tmp_path, monkeypatch, step):
    path = tmp_path / "c.png"
    write_whole(path, b"old")

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"pathlib.Path.{step}", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["c.png"]


def test_a_path_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="cannot be written"):
        write_whole(tmp_path / "file" / "c.png", b"")
