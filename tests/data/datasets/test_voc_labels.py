"""Label pictures of VOC against Pillow, which reads the indices of a palette as they are."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from seg_jax.data.datasets.voc_labels import decode_voc_label
from seg_jax.data.palettes import voc_palette
from seg_jax.data.validate import DataError, Origin

ORIGIN = Origin("voc", "train", "2007_000032", label_path="SegmentationClass/2007_000032.png")
IDS = np.array([*range(21), 255, 0, 15], np.uint8).reshape(4, 6)
PALETTE = np.array(voc_palette(256), np.uint8)


def png(pixels, mode=None, palette=PALETTE, **options):
    image = Image.fromarray(pixels)
    if mode == "P":
        image.putpalette(palette.tobytes())
        assert image.mode == "P"
    out = io.BytesIO()
    image.save(out, "PNG", **options)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(png(IDS, "P"), id="palette"),
        pytest.param(png(IDS, "P", transparency=0), id="transparent palette"),
        pytest.param(png(IDS), id="grey"),
        pytest.param(png(PALETTE[IDS]), id="rgb"),
    ],
)
def test_the_three_kinds_say_the_same(data):
    np.testing.assert_array_equal(decode_voc_label(data, ORIGIN), IDS)


def test_a_palette_of_four_bits():
    few = IDS % 16
    data = png(few, "P", palette=PALETTE[:16], bits=4)
    assert data[24] == 4  # bit depth: the picture is stored as asked
    np.testing.assert_array_equal(decode_voc_label(data, ORIGIN), few)


def test_a_sorted_palette_keeps_its_colours():
    """Programs that shrink PNGs reorder palettes: the colours still tell the classes."""
    order = np.roll(np.arange(256), 7)
    data = png(np.argsort(order).astype(np.uint8)[IDS], "P", palette=PALETTE[order])
    np.testing.assert_array_equal(decode_voc_label(data, ORIGIN), IDS)


def jpeg(pixels):
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def other(colour, count=1):
    pixels = PALETTE[IDS].copy()
    pixels.reshape(-1, 3)[:count] = colour
    return png(pixels)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"is not a PNG \(its 0 bytes"),
        (jpeg(IDS), r"is not a PNG .*grey PNG"),
        (png(IDS)[:20], "cannot be decoded"),
        (png(IDS, "P")[:-60], "cannot be decoded"),
        (png(IDS.astype(np.uint16)), "uint16"),
        (png(np.dstack([PALETTE[IDS], IDS])), "transparency"),
        (png(IDS, "P", palette=np.arange(768, dtype=np.uint8).reshape(256, 3)), "colours"),
        (other((1, 2, 3), 2), r"2 pixels of the colours \(1, 2, 3\), which.*among VOC's"),
        (other(PALETTE[21]), r"1 pixels of the colours \(128, 64, 128\)"),
        (other((255, 255, 255)), r"\(255, 255, 255\)"),
    ],
)
def test_anything_else_is_refused_by_name(data, message):
    with pytest.raises(DataError, match=rf"SegmentationClass/2007_000032.png\).*{message}"):
        decode_voc_label(data, ORIGIN)


def test_few_of_many_unknown_colours_are_named():
    with pytest.raises(DataError, match=r"\(1, 1, 1\), \(2, 2, 2\), \(3, 3, 3\), \.\.\., which"):
        decode_voc_label(png(np.full((2, 4, 3), np.arange(1, 5)[:, None], np.uint8)), ORIGIN)
