import json
from pathlib import Path

import numpy as np
import pytest

from seg_jax.data.formats.coco_json import coco_items, paint
from seg_jax.data.validate import DataError, Origin

ORIGIN = Origin("toy", "train", "one")
VOID = 255


def square(x, y, side):
    return [[x, y, x + side, y, x + side, y + side, x, y + side]]


def annotation(number, category, outline, *, image=3, **more):
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "segmentation": outline,
        **more,
    }


CROWD = {"size": [6, 8], "counts": [0, 6, 42]}  # the first column

CONTENT = {
    "images": [
        {"id": 3, "file_name": "b/one.jpg", "height": 6, "width": 8},
        {"id": 8, "file_name": "a.png", "height": 5, "width": 4},
    ],
    "categories": [{"id": 40, "name": "kite"}, {"id": 7, "name": "cat"}],
    "annotations": [
        annotation(1, 40, square(0, 0, 4), area=16.0, iscrowd=0),
        annotation(2, 7, square(2, 2, 4), area=16.0),
        annotation(3, 7, CROWD, iscrowd=1),
    ],
}


@pytest.fixture
def listed(tmp_path):
    """Returns a function (content) -> `coco_items` of a file that holds it."""

    def write(content):
        file = tmp_path / "toy.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return coco_items(file, Path("/images"))

    return write


def test_images_come_by_name_with_their_objects(listed):
    categories, items = listed(CONTENT)
    assert list(categories.items()) == [(7, "cat"), (40, "kite")]
    assert [item.id for item in items] == ["a", "b/one"]
    assert [str(item.image) for item in items] == ["/images/a.png", "/images/b/one.jpg"]
    empty, full = (item.annotation for item in items)
    assert empty == ((5, 4), ())
    assert full.size == (6, 8)
    assert [(o.id, o.category, o.area, o.crowd) for o in full.objects] == [
        (1, 40, 16.0, False),
        (2, 7, 16.0, False),
        (3, 7, 0.0, True),
    ]


def test_later_objects_lie_over_earlier_ones(listed):
    item = listed(CONTENT)[1][1]
    ids = paint(item, ORIGIN, class_of={40: 1, 7: 2}).ids
    expected = np.zeros((6, 8), np.uint8)
    expected[:4, :4] = 1
    expected[2:6, 2:6] = 2
    expected[:, 0] = 2
    np.testing.assert_array_equal(ids, expected)
    assert ids.flags.c_contiguous


def test_overlaps_can_be_void_whatever_the_classes(listed):
    item = listed(CONTENT)[1][1]
    ids = paint(item, ORIGIN, class_of={40: 1, 7: 2}, ignore_overlaps=True).ids
    expected = np.zeros((6, 8), np.uint8)
    expected[:4, :4] = 1
    expected[2:6, 2:6] = 2
    expected[:, 0] = 2
    expected[2:4, 2:4] = expected[:4, 0] = VOID
    np.testing.assert_array_equal(ids, expected)
    same = paint(item, ORIGIN, class_of={40: 1, 7: 1}, ignore_overlaps=True).ids
    np.testing.assert_array_equal(same == VOID, expected == VOID)


def test_crowds_and_background_can_be_void_and_categories_left_out(listed):
    item = listed(CONTENT)[1][1]
    ids = paint(item, ORIGIN, class_of={7: 0}, background=VOID, ignore_crowds=True).ids
    expected = np.full((6, 8), VOID)
    expected[2:6, 2:6] = 0
    np.testing.assert_array_equal(ids, expected)
    crowd = paint(item, ORIGIN, class_of={40: 1, 7: 2}, ignore_crowds=True).ids
    assert (crowd[:, 0] == VOID).all()


def test_an_image_without_objects_is_background(listed):
    item = listed(CONTENT)[1][0]
    assert paint(item, ORIGIN, class_of={7: 1}, background=3).ids.tolist() == [[3] * 4] * 5


def changed(**fields):
    return {**CONTENT, "annotations": [{**CONTENT["annotations"][0], **fields}]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"images": [', r"toy.json is not JSON .*Fetch or export"),
        ([], r"not a COCO file of objects \(TypeError"),
        ({"images": [], "categories": []}, r"KeyError\('annotations'\)"),
        ({**CONTENT, "images": [{"id": 3, "file_name": "x"}]}, r"KeyError\('height'\)"),
        (changed(image_id=4), "annotation 1 is of image 4 and category 40"),
        (changed(category_id=8), "annotation 1 is of image 3 and category 8"),
        (changed(segmentation=[]), r"annotation 1 has no outline.*polygons or run lengths"),
    ],
)
def test_a_faulty_file_is_refused(listed, content, message):
    with pytest.raises(DataError, match=message):
        listed(content)


@pytest.mark.parametrize(
    ("outline", "message"),
    [
        ([[1, 2, 3]], "flat list"),
        ([1, 2, 3, 4, 5, 6], "lists within a list"),
        ([["a", "b"]], "could not convert"),
        ({"size": [6, 9], "counts": [54]}, r"for the size \[6, 9\]"),
        ({"size": [6, 8], "counts": [47]}, "cover 6 x 8"),
        ({"size": [6, 8], "counts": "~"}, "damaged"),
        ({"counts": [48]}, "size"),
    ],
)
def test_a_faulty_outline_is_named(listed, outline, message):
    item = listed(changed(segmentation=outline))[1][1]
    with pytest.raises(DataError, match=rf"'one' of toy.*annotation 1 .*6 x 8 px: .*{message}"):
        paint(item, ORIGIN, class_of={40: 1})


def test_the_real_file(asset):
    folder = asset("data/coco_sample")
    categories, items = coco_items(
        folder / "annotations/instances_train2017.json", folder / "train2017"
    )
    assert len(categories) == 80
    assert len(items) == 32
    assert all(item.image.is_file() for item in items)
    assert sum(thing.crowd for item in items for thing in item.annotation.objects) == 10
