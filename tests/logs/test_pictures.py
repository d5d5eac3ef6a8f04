"""Pictures for the logs: colours, order, sizes."""

import cv2
import numpy as np

from seg_jax.logs.pictures import (
    SIDE,
    compare,
    compare_all,
    contact_sheet,
    paint,
    side_by_side,
    write_png,
)

PALETTE = [(10, 20, 30), (40, 50, 60)]


def flat(height, width, value):
    return np.full((height, width, 3), value, np.uint8)


def test_classes_get_their_colours_and_other_ids_stripes():
    ids = np.array([[0, 1], [255, 2]], np.uint8).repeat(8, 0).repeat(8, 1)
    painted = paint(ids, PALETTE)
    assert (painted[:8, :8] == PALETTE[0]).all()
    assert (painted[:8, 8:] == PALETTE[1]).all()
    for part in (painted[8:, :8], painted[8:, 8:]):
        assert set(map(tuple, part.reshape(-1, 3))) == {(40, 40, 40), (235, 235, 235)}


def test_image_label_and_prediction_stand_in_this_order():
    label, prediction = np.zeros((5, 7), np.uint8), np.ones((5, 7), np.uint8)
    picture = compare(flat(5, 7, 99), label, prediction, PALETTE)
    assert picture.shape == (5, 29, 3)
    assert (picture[:, :7] == 99).all()
    assert (picture[:, 7:11] == 255).all()
    assert (picture[:, 11:18] == PALETTE[0]).all()
    assert (picture[:, 22:] == PALETTE[1]).all()


def test_large_pictures_shrink_and_labels_keep_their_ids():
    label = np.zeros((1024, 2048), np.uint8)
    label[:, 1022:] = 2  # the mean of the two would be a class between them
    palette = [*PALETTE, (70, 80, 90)]
    picture = compare(flat(1024, 2048, 99), label, label, palette)
    assert picture.shape == (256, 3 * SIDE + 8, 3)
    colours = set(map(tuple, picture[:, SIDE + 4 : 2 * SIDE + 4].reshape(-1, 3)))
    assert colours == {palette[0], palette[2]}


def test_every_sample_is_compared_under_its_name():
    samples = {"id": np.array(["a", "b"])}
    for place, size in enumerate([(4, 6), (3, 5)]):
        samples[f"image_{place}"] = flat(*size, place)
        samples[f"label_{place}"] = np.zeros(size, np.uint8)
        samples[f"prediction_{place}"] = np.ones(size, np.uint8)
    pictures = compare_all(samples, PALETTE)
    assert {name: one.shape for name, one in pictures.items()} == {
        "predictions/a": (4, 26, 3),
        "predictions/b": (3, 23, 3),
    }
    assert (pictures["predictions/b"][:, :5] == 1).all()
    assert (pictures["predictions/b"][:, -5:] == PALETTE[1]).all()


def test_a_sheet_holds_pictures_of_several_widths_below_their_names():
    sheet = contact_sheet([("näme", flat(10, 60, 1)), ("b", flat(20, 40, 2))])
    caption = (sheet.shape[0] - 30) // 2
    assert sheet.shape[1] == 60
    assert (sheet[caption : caption + 10] == 1).all()
    assert (sheet[-20:, :40] == 2).all()
    assert (sheet[-20:, 40:] == 255).all()
    assert sheet[:caption].min() < 255


def test_pictures_are_written_in_rgb(tmp_path):
    path = tmp_path / "ä.png"
    write_png(path, side_by_side(np.full((2, 2, 3), (1, 2, 3), np.uint8)))
    decoded = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert (decoded == (3, 2, 1)).all()
