"""Pictures: the right colour at the right pixel, ignored pixels, damaged files."""

import cv2
import numpy as np
import pytest

from seg_jax.report.collect import read_sweep
from seg_jax.report.pictures import colourize, fit, make_grid


def decode(png: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    order = cv2.COLOR_BGRA2RGBA if image.shape[-1] == 4 else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(image, order)


def test_classes_have_their_colours_and_other_ids_are_striped(toy):
    ids = np.array([[0, 1], [2, 255]], np.uint8)
    picture = colourize(ids, [tuple(colour) for colour in toy.palette])
    side = picture.shape[0] // 2
    for (y, x), colour in {(0, 0): 0, (0, 1): 1, (1, 0): 2}.items():
        block = picture[y * side : (y + 1) * side, x * side : (x + 1) * side]
        assert (block == toy.palette[colour]).all()
    striped = picture[side:, side:]
    assert set(np.unique(striped)) == {40, 235}
    assert 0.4 < (striped == 40).mean() < 0.6


def test_small_pictures_grow_by_a_whole_factor_and_large_ones_shrink():
    small = np.arange(24 * 32, dtype=np.uint8).reshape(24, 32)
    grown = fit(small, nearest=True)
    assert grown.shape == (144, 192)
    np.testing.assert_array_equal(grown[3::6, 3::6], small)
    ids = np.zeros((600, 1200), np.uint8)
    ids[:, 600:] = 200
    shrunk = fit(ids, nearest=True)
    assert shrunk.shape == (240, 480)
    assert set(np.unique(shrunk)) == {0, 200}


def test_grid_holds_the_first_seed_with_its_errors(make_sweep, folder_of, toy):
    workdir = make_sweep()
    grid = make_grid(read_sweep(workdir).comparisons[0])
    assert grid.labels == toy.labels
    assert grid.has_ignored
    assert [row.id for row in grid.rows] == ["a", "b"]
    with np.load(folder_of(workdir, "fcn8s", 0) / "predictions.npz") as arrays:
        image, label, prediction = (arrays[f"{k}_1"] for k in ("image", "label", "prediction"))
    picture = grid.rows[1].pictures["fcn8s"]
    wrong = (label != prediction) & (label != 255)
    assert picture.correct == pytest.approx(1 - wrong.sum() / (label != 255).sum())
    colours = np.array(toy.palette, np.uint8)
    np.testing.assert_array_equal(decode(picture.prediction)[3::6, 3::6], colours[prediction])
    np.testing.assert_array_equal(decode(picture.errors)[3::6, 3::6, 3], wrong * 255)
    np.testing.assert_array_equal(decode(grid.rows[1].image)[3::6, 3::6], image)


def test_a_damaged_file_falls_back_to_the_next_seed_and_is_named(make_sweep, folder_of):
    workdir = make_sweep()
    path = folder_of(workdir, "fcn8s", 0) / "predictions.npz"
    path.write_bytes(path.read_bytes()[:200])
    arrays = dict(np.load(folder_of(workdir, "deeplab_v3", 0) / "predictions.npz"))
    for seed in range(2):
        swapped = arrays | {"label_1": arrays["label_1"][:8]}
        np.savez(folder_of(workdir, "deeplab_v3", seed) / "predictions.npz", **swapped)
    grid = make_grid(read_sweep(workdir).comparisons[0])
    assert "fcn8s" in grid.labels
    assert "deeplab_v3" not in grid.labels
    assert sum("fcn8s" in note for note in grid.notes) == 1
    assert sum("deeplab_v3" in note and "do not match" in note for note in grid.notes) == 2


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"image_1": np.zeros((24, 32), np.uint8)}, "do not match"),
        ({"prediction_0": np.zeros((24, 31), np.uint8)}, "do not match"),
        ({"label_0": np.zeros((24, 32), np.int32)}, "not uint8"),
        ({"id": np.array(["a", "b", "c"])}, "image_2"),
        ({"image_0": np.array([{}], object)}, "allow_pickle"),
    ],
)
def test_a_file_that_is_not_whole_is_named(make_sweep, folder_of, change, fault):
    workdir = make_sweep(labels=("fcn8s",), seeds=1)
    path = folder_of(workdir, "fcn8s", 0) / "predictions.npz"
    np.savez(path, **(dict(np.load(path)) | change))
    grid = make_grid(read_sweep(workdir).comparisons[0])
    assert grid.rows == ()
    assert len(grid.notes) == 1
    assert fault in grid.notes[0]


def test_images_may_differ_in_size(make_sweep, folder_of, toy):
    workdir = make_sweep()
    for seed in range(2):
        for label in toy.labels:
            path = folder_of(workdir, label, seed) / "predictions.npz"
            arrays = dict(np.load(path))
            for kind in ("image", "label", "prediction"):
                arrays[f"{kind}_1"] = arrays[f"{kind}_1"][:12, :24]
            np.savez(path, **arrays)
    grid = make_grid(read_sweep(workdir).comparisons[0])
    assert grid.notes == ()
    assert [set(row.pictures) for row in grid.rows] == [set(toy.labels)] * 2
    shapes = [decode(row.truth).shape[:2] for row in grid.rows]
    assert shapes == [(24 * 6, 32 * 6), (12 * 8, 24 * 8)]


def test_no_predictions_make_an_empty_grid(make_sweep):
    grid = make_grid(read_sweep(make_sweep(predictions=False)).comparisons[0])
    assert grid.rows == ()
    assert grid.notes == ()
