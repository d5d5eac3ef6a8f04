import numpy as np
import pytest

from seg_jax.data.formats import cvat
from seg_jax.data.validate import DataError

HEIGHT, WIDTH = 40, 60


@pytest.fixture
def xml(tmp_path):
    """Returns a function: the elements of an image -> a file as CVAT writes it."""

    def write(*elements):
        path = tmp_path / "annotations.xml"
        path.write_text(
            '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version><meta/>'
            f'<image id="0" name="sub/a.png" width="{WIDTH}" height="{HEIGHT}">'
            f"{''.join(elements)}</image></annotations>"
        )
        return path

    return write


def draw(path):
    (image,) = cvat.read_images(path)
    assert (image.name, image.size) == ("sub/a.png", (HEIGHT, WIDTH))
    return list(cvat.drawing(image).masks)


BOX = '<box label="box" xtl="10.0" ytl="5" xbr="30" ybr="20" z_order="0"/>'


def rectangle():
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[5:20, 10:30] = True
    return expected


def test_every_shape_with_an_area_is_drawn(xml):
    path = xml(
        BOX,
        '<polygon label="polygon" points="10.0,5.0;30.0,5.0;30.0,20.0;10.0,20.0" z_order="0"/>',
        '<ellipse label="ellipse" cx="40" cy="20" rx="12" ry="8" z_order="0"/>',
        '<mask label="mask" rle="3, 4, 6, 4, 3" left="10" top="30" width="10" height="2"/>',
        '<tag label="blurred" source="manual"/>',
    )
    masks = dict(draw(path))
    assert set(masks) == {"box", "polygon", "ellipse", "mask"}
    np.testing.assert_array_equal(masks["box"], rectangle())
    np.testing.assert_array_equal(masks["polygon"], rectangle())
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    radius = np.hypot((columns - 40) / 12, (rows - 20) / 8)
    clear = np.abs(radius - 1) > 0.05
    np.testing.assert_array_equal(masks["ellipse"][clear], (radius < 1)[clear])
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[30:32, 13:17] = True  # runs along rows: 3 out, 4 in, 6 out, 4 in, 3 out
    np.testing.assert_array_equal(masks["mask"], expected)


def test_shapes_are_drawn_from_the_lowest_up(xml):
    high = BOX.replace('label="box"', 'label="high"').replace('z_order="0"', 'z_order="10"')
    middle = BOX.replace('label="box"', 'label="middle"').replace('z_order="0"', 'z_order="9"')
    assert [name for name, _ in draw(xml(high, middle, BOX))] == ["box", "middle", "high"]


@pytest.mark.parametrize(
    ("element", "sentence"),
    [
        ('<polyline label="x" points="1,1;2,2"/>', "'x' is a polyline, which has no area"),
        (BOX.replace("/>", ' rotation="30"/>'), "'box' is a rotated box"),
        (
            '<ellipse label="x" cx="4" cy="2" rx="1" ry="1" rotation="5"/>',
            "'x' is a rotated ellipse",
        ),
        ('<mask label="x" rle="3, 4" left="0" top="0" width="10" height="2"/>', "cover"),
    ],
)
def test_what_cannot_be_drawn_is_refused(xml, element, sentence):
    with pytest.raises(ValueError, match=sentence):
        draw(xml(element))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<annotations><image", "cannot be read"),
        ("<annotations><image name='a' width='3'/></annotations>", "cannot be read.*height"),
        ("<annotations><track/></annotations>", "names no image.*CVAT for images 1.1"),
    ],
)
def test_other_files_are_refused(tmp_path, text, sentence):
    path = tmp_path / "other.xml"
    path.write_text(text)
    with pytest.raises(DataError, match=rf"other.xml {sentence}"):
        cvat.read_images(path)
