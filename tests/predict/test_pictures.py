"""Which pictures are predicted, under which names, and what is read of them."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from seg_jax.predict.pictures import PictureError, find_pictures, read_picture


@pytest.fixture
def tree(tmp_path):
    """Makes empty files by their paths."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return make


def found(inputs, out):
    return [picture.path.name for picture in find_pictures(inputs, out=out)]


def test_numbers_in_names_are_sorted_by_value(tree):
    root = tree("f10.png", "f2.png", "f1.png", "f02.png", "f.png", "b/f3.png", "f2b.png")
    files = [root / name for name in ("f10.png", "f2.png", "f1.png")]
    assert found(files, root / "out") == ["f1.png", "f2.png", "f10.png"]
    assert found([root], root / "out") == [
        "f3.png",
        "f.png",
        "f1.png",
        "f02.png",
        "f2.png",
        "f2b.png",
        "f10.png",
    ]


def test_folders_are_searched_but_for_hidden_files_and_results(tree):
    root = tree(
        "a.JPG",
        "deep/er/b.tiff",
        "notes.txt",
        ".hidden.png",
        ".git/c.png",
        "out/a_overlay.jpg",
        "sub/out/d.png",
    )
    assert sorted(found([root], root / "out")) == ["a.JPG", "b.tiff", "d.png"]


def test_a_file_is_taken_by_its_name_whatever_its_ending(tree):
    root = tree("scan", ".hidden.png")
    assert found([root / "scan", root / ".hidden.png"], root) == [".hidden.png", "scan"]


def test_a_file_named_twice_is_predicted_once(tree):
    root = tree("a/x.png", "a/y.png")
    assert found([root / "a/x.png", root / "a", root / "a/../a/y.png"], root / "o") == [
        "x.png",
        "y.png",
    ]


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        (["a/x.png"], ["x"]),
        (["a"], ["deep/x", "x"]),
        (["a/x.png", "b/x.png"], ["a/x", "b/x"]),
        (["a", "b"], ["a/deep/x", "a/x", "b/x"]),
        (["c"], ["x.jpg", "x.png", "x.jpg.png", "y"]),
    ],
)
def test_results_are_named_after_the_picture_and_never_alike(tree, inputs, names):
    root = tree(
        "a/x.png", "a/deep/x.jpg", "b/x.png", "c/x.png", "c/x.jpg", "c/x.jpg.png", "c/y.png"
    )
    pictures = find_pictures([root / name for name in inputs], out=root / "out")
    assert [picture.name.as_posix() for picture in pictures] == names


def test_what_is_not_there_is_refused(tree):
    root = tree("a.png", "empty/notes.txt")
    with pytest.raises(FileNotFoundError, match=r"no file or folder .*b\.png"):
        find_pictures([root / "a.png", root / "b.png"], out=root / "out")
    with pytest.raises(ValueError, match="empty' holds no picture"):
        find_pictures([root / "empty"], out=root / "out")


HALVES = np.zeros((24, 40, 3), np.uint8)
HALVES[:, :20] = (250, 60, 10)
HALVES[:12, 20:] = (20, 200, 90)


def encoded(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


RGB = Image.fromarray(HALVES)
GREY = np.asarray(RGB.convert("L"))
DEEP = cv2.imencode(".png", HALVES[..., ::-1].astype(np.uint16) * 257)[1].tobytes()
FILES = {
    "rgb.png": (encoded(RGB, "PNG"), HALVES),
    "grey.png": (encoded(RGB.convert("L"), "PNG"), np.dstack([GREY] * 3)),
    "alpha.png": (encoded(RGB.convert("RGBA"), "PNG"), HALVES),
    "palette.png": (encoded(RGB.quantize(4), "PNG"), HALVES),
    "16-bit.png": (DEEP, HALVES),
    "photo.jpg": (encoded(RGB, "JPEG", quality=98, subsampling=0), HALVES),
    "print.jpg": (encoded(RGB.convert("CMYK"), "JPEG", quality=98), HALVES),
    "turned.jpg": (
        encoded(RGB, "JPEG", quality=98, subsampling=0, exif=exif(6)),
        np.rot90(HALVES, -1),
    ),
    "mirrored.jpg": (
        encoded(RGB, "JPEG", quality=98, subsampling=0, exif=exif(2)),
        HALVES[:, ::-1],
    ),
    "scan.tif": (encoded(RGB, "TIFF"), HALVES),
    "web.webp": (encoded(RGB, "WEBP", lossless=True), HALVES),
    "window.bmp": (encoded(RGB, "BMP"), HALVES),
}


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_picture_is_upright_8_bit_rgb(tmp_path, name):
    data, expected = FILES[name]
    path = tmp_path / f"ü {name}"
    path.write_bytes(data)
    pixels = read_picture(path)
    assert pixels.shape == expected.shape
    difference = np.abs(pixels.astype(int) - expected)
    assert difference.mean() < 4


@pytest.mark.parametrize("name", ["rgb.png", "photo.jpg", "window.bmp"])
def test_half_a_picture_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(FILES[name][0][: len(FILES[name][0]) // 2])
    with pytest.raises(PictureError, match="not a whole picture"):
        read_picture(path)


@pytest.mark.parametrize("data", [b"", b"text"])
def test_what_is_no_picture_is_refused(tmp_path, data):
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(PictureError, match="not a whole picture"):
        read_picture(tmp_path / "a.png")


def test_what_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(PictureError, match="cannot be read"):
        read_picture(tmp_path)
