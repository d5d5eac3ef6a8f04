import io

import cv2
import numpy as np
import pytest
from PIL import Image

from seg_jax.data.folder.classes import ClassTable
from seg_jax.data.folder.pictures import read_index, read_per_class, read_rgb
from seg_jax.data.items import Item
from seg_jax.data.validate import DataError, Origin
from seg_jax.labels import IGNORE_LABEL

SIZE = (9, 13)
ORIGIN = Origin("folder/x", "train", "a", "a.jpg", "a.png")


def table(names="abc", values=((0,), (1,), (2,)), ignore=(), elsewhere=IGNORE_LABEL):
    return ClassTable(tuple(names), values, ignore, elsewhere)


@pytest.fixture
def read(tmp_path):
    """Returns a function: (reader, table, encoded label or pixels) -> class ids."""

    def run(reader, classes, label, ending=".png"):
        path = tmp_path / f"label{ending}"
        path.write_bytes(label if isinstance(label, bytes) else cv2.imencode(ending, label)[1])
        return reader(Item("a", tmp_path / "a.jpg", path), ORIGIN, table=classes).ids

    return run


def pixel_by_pixel(pixels, ids):
    expected = np.empty(pixels.shape[:2], np.uint8)
    for row in range(expected.shape[0]):
        for column in range(expected.shape[1]):
            expected[row, column] = ids[tuple(np.atleast_1d(pixels[row, column]).tolist())]
    return expected


def drawn(choices, seed=0, dtype=np.uint8):
    rng = np.random.default_rng(seed)
    return np.array(choices, dtype)[rng.integers(0, len(choices), SIZE)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_values_are_mapped(read, dtype):
    values = [0, 7, 8, 200, 255] if dtype == np.uint8 else [0, 7, 8, 200, 40000]
    classes = table(values=((7,), (0, 8), (200,)), ignore=(values[-1],))
    label = drawn(values, dtype=dtype)
    ids = dict(zip([(v,) for v in values], [1, 0, 1, 2, 255], strict=True))
    np.testing.assert_array_equal(read(read_index, classes, label), pixel_by_pixel(label, ids))


@pytest.mark.parametrize("channels", [3, 4])
def test_one_channel_that_was_copied_is_one_channel(read, channels):
    label = drawn([0, 1, 2])
    copied = [label] * 3 + [np.full_like(label, 255)]
    picture = np.stack(copied[:channels], -1)
    np.testing.assert_array_equal(read(read_index, table(), picture), label)


def palette_png(indices, colors):
    picture = Image.new("P", (SIZE[1], SIZE[0]))
    picture.putdata(indices.ravel().tolist())
    picture.putpalette([value for color in colors for value in color])
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def test_a_palette_is_read_by_index_or_by_colour(read):
    indices, colors = drawn([0, 1, 2]), [(9, 8, 7), (200, 0, 0), (9, 9, 9)]
    label = palette_png(indices, colors)
    np.testing.assert_array_equal(read(read_index, table(), label), indices)
    by_color = table(values=(((9, 9, 9),), ((9, 8, 7),), ((200, 0, 0),)))
    expected = np.array([1, 2, 0], np.uint8)[indices]
    np.testing.assert_array_equal(read(read_rgb, by_color, label), expected)


COLORS = [(0, 0, 0), (255, 0, 0), (0, 255, 0), (1, 2, 3), (255, 255, 255)]
BY_COLOR = table(values=((COLORS[0],), (COLORS[1], COLORS[3]), (COLORS[2],)), ignore=(COLORS[4],))


@pytest.mark.parametrize("channels", [3, 4])
def test_colours_are_mapped(read, channels):
    label = drawn(COLORS)
    opaque = [*np.moveaxis(label[..., ::-1], -1, 0), np.full(SIZE, 255, np.uint8)]
    ids = dict(zip(COLORS, [0, 1, 2, 1, 255], strict=True))
    actual = read(read_rgb, BY_COLOR, np.stack(opaque[:channels], -1))
    np.testing.assert_array_equal(actual, pixel_by_pixel(label, ids))


def test_greys_of_a_map_may_be_saved_with_one_channel(read):
    label = drawn([0, 255])
    expected = np.where(label > 0, 255, 0)
    np.testing.assert_array_equal(read(read_rgb, BY_COLOR, label), expected)


def smooth(pixels):
    return cv2.resize(pixels, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)


def bgr(*colors):
    return drawn(colors)[..., ::-1]


TWO = table("xy", ((0,), (1,)))
INDEX_FAULTS = [
    (
        TWO,
        drawn([0, 255]),
        r"no class has: 255 in \d+ of 117 pixels, beside 0. That is a binary mask saved as 0 and "
        r"255: set config.dataset.folder.classes to {'x': 0, 'y': 255}",
    ),
    (TWO, np.full(SIZE, 255, np.uint8), "beside no others. That is a binary mask"),
    (table(), drawn([0, 2, 255]), r"255 mostly marks .* set config.dataset.folder.ignore to \(255"),
    (
        table(),
        drawn([1, 2, 3]),
        r"Ids may start at 1: then set config.dataset.folder.classes to {'a': 1, 'b': 2, 'c': 3} "
        r"and, if 0 marks pixels that do not count, config.dataset.folder.ignore to \(0,\)\.$",
    ),
    (table(), drawn([0, 1, 3]), r"ignore to \(0,\), or add the class that 3 stands for"),
    (table(), drawn([0, 1, 4]), "4 in .*Add a class for 4, give them to one"),
    (table("xy", ((0,), (255,))), drawn([0, 1]), "1 bit holds 0 and 1, .*'x': 0, 'y': 1}"),
    (TWO, smooth(drawn([0, 200])), "Mixed values come from saving labels as JPEG or resizing"),
    (TWO, bgr((255, 0, 0), (0, 0, 0)), "holds colours where one .*form to 'rgb'"),
    (TWO, np.dstack([drawn([0, 9])] * 4), "alpha channel with transparent pixels.*Flatten"),
    (TWO, b"\x89PNG nothing", r"cannot be decoded: its 12 bytes are not a whole picture"),
    (TWO, b"", r"cannot be decoded: its 0 bytes"),
]


@pytest.mark.parametrize(("classes", "label", "sentence"), INDEX_FAULTS)
def test_foreign_values_are_said_with_the_likely_reason(read, classes, label, sentence):
    with pytest.raises(DataError, match=f"The label of example 'a'.*{sentence}"):
        read(read_index, classes, label)


def test_a_jpeg_as_label_is_blamed(read):
    label = cv2.resize(drawn([0, 255]), (64, 64), interpolation=cv2.INTER_NEAREST)
    with pytest.raises(DataError, match="saving labels as JPEG"):
        read(read_index, table("xy", ((0,), (255,))), label, ".jpg")
    picture = np.stack([label, label * 0, label], -1)
    with pytest.raises(DataError, match="saving labels as JPEG"):
        read(read_rgb, BY_COLOR, picture, ".jpg")


def test_numbers_that_are_no_ids_are_refused(read):
    with pytest.raises(DataError, match=r"float32 values. Save it with 8 or 16 bit whole numbers"):
        read(read_index, TWO, np.zeros(SIZE, np.float32), ".tif")
    with pytest.raises(DataError, match="uint16 values, but colours have 8 bits"):
        read(read_rgb, BY_COLOR, np.zeros((*SIZE, 3), np.uint16))


RGB_FAULTS = [
    (bgr((0, 0, 255), (0, 0, 0)), "Red and blue are swapped"),
    (bgr((250, 6, 3), (0, 0, 0)), r"\(250, 6, 3\) in \d+ of 117 .*They differ slightly from the"),
    (bgr((128, 128, 0), (0, 0, 0)), r"Add a class for each, or list them in config.*ignore"),
    (drawn([1, 2, 3]), "They look like class ids: set config.dataset.folder.form to 'index'"),
    (np.dstack([drawn([0, 9])] * 4), "alpha channel with transparent pixels.*Flatten"),
    (b"nothing", "cannot be decoded"),
]


@pytest.mark.parametrize(("label", "sentence"), RGB_FAULTS)
def test_foreign_colours_are_said_with_the_likely_reason(read, label, sentence):
    with pytest.raises(DataError, match=sentence):
        read(read_rgb, BY_COLOR, label)


def test_a_label_that_claims_to_be_huge_is_not_decoded(read):
    data = bytearray(cv2.imencode(".png", drawn([0, 1]))[1].tobytes())
    data[16:24] = (60000).to_bytes(4, "big") * 2
    with pytest.raises(DataError, match="claims 60000 x 60000 px"):
        read(read_index, TWO, bytes(data))


@pytest.fixture
def masks(tmp_path):
    """Returns a function: (table, overlap, masks by name) -> class ids."""

    def run(classes, overlap="later", **pictures):
        pairs = []
        for name, pixels in pictures.items():
            path = tmp_path / f"{name}.png"
            path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
            pairs.append((name, path))
        item = Item("a", tmp_path / "a.jpg", None, tuple(pairs))
        return read_per_class(item, ORIGIN, table=classes, overlap=overlap).ids

    return run


NAMED = table(["rest", "leaf", "stem"], ((), ("leaf",), ("stem", "twig")), ("blur",), elsewhere=0)


@pytest.mark.parametrize("overlap", ["later", "ignore"])
def test_masks_of_classes_are_laid_over_each_other(masks, overlap):
    given = {
        name: drawn([0, value], seed)
        for seed, (name, value) in enumerate(
            {"stem": 255, "blur": 1, "leaf": 1, "twig": 7, "other": 255}.items()
        )
    }
    expected = np.zeros(SIZE, np.uint8)
    covered = np.zeros(SIZE, int)
    for names, id in ((["leaf"], 1), (["stem", "twig"], 2), (["blur"], 255)):
        for name in names:
            expected[given[name] > 0] = id
            covered += given[name] > 0
    if overlap == "ignore":
        expected[covered > 1] = IGNORE_LABEL
    assert (covered > 1).any()
    assert (covered == 0).any()
    np.testing.assert_array_equal(masks(NAMED, overlap, **given), expected)


def test_masks_that_are_none_are_refused(masks):
    with pytest.raises(DataError, match=r"in leaf.png the values 0, 1, 2: a mask of one class"):
        masks(NAMED, leaf=drawn([0, 1, 2]))
    with pytest.raises(DataError, match=r"stem.png is 2 x 3 px, leaf.png is 9 x 13 px"):
        masks(NAMED, leaf=drawn([0, 1]), stem=np.zeros((2, 3), np.uint8))
    with pytest.raises(DataError, match=r"made only of masks that .*skip leaves out"):
        masks(NAMED, other=drawn([0, 1]))
    with pytest.raises(DataError, match=r"in leaf.png colours"):
        masks(NAMED, leaf=bgr((255, 0, 0), (0, 0, 0)))
