"""Results of many pictures: masks, overlays, the summary, and what goes wrong."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from seg_jax.data.palettes import voc_palette
from seg_jax.predict.pictures import find_pictures
from seg_jax.predict.run import SUMMARY, percent, predict_pictures
from seg_jax.weights.native import Labels

LABELS = Labels(("background", "cat", "dog"), voc_palette(3))


def thresholds(picture):
    """Class 0 in dark, 2 in bright pixels; there is no class 1."""
    return np.where(picture[..., 0] < 128, 0, 2).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """A whole picture, a quarter of which is bright, and one that is no picture."""
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[:10, :20] = 255
    cv2.imwrite(str(tmp_path / "good.png"), picture)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "bad.png").write_text("no picture")
    return tmp_path


def run(folder, predict=thresholds, labels=LABELS, on_picture=lambda prediction: None):
    pictures = find_pictures([folder], out=folder / "out")
    return predict_pictures(
        pictures, predict, labels, folder / "out", origin="test", on_picture=on_picture
    )


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def test_each_picture_has_a_mask_and_an_overlay_or_an_error(folder):
    told = []
    good, bad = run(folder, on_picture=told.append)
    assert told == [good, bad]
    assert files(folder / "out") == ["good_mask.png", "good_overlay.jpg", SUMMARY]
    mask = np.asarray(Image.open(folder / "out" / good.mask))
    np.testing.assert_array_equal(mask, thresholds(cv2.imread(str(good.path))))
    overlay = cv2.imread(str(folder / "out" / good.overlay))
    assert overlay.shape[0] > 20
    assert good.shares == {"background": 0.75, "dog": 0.25}
    assert list(good.shares) == ["background", "dog"]
    assert (good.size, good.error) == ((20, 40), "")
    assert "not a whole picture" in bad.error
    assert not bad.shares


def test_the_summary_says_the_same(folder):
    run(folder)
    summary = json.loads((folder / "out" / SUMMARY).read_text())
    assert summary["weights"] == "test"
    assert summary["classes"] == list(LABELS.classes)
    good, bad = summary["pictures"]
    assert good == {
        "file": str(folder / "good.png"),
        "size": {"height": 20, "width": 40},
        "classes": {"background": 0.75, "dog": 0.25},
        "mask": "good_mask.png",
        "overlay": "good_overlay.jpg",
    }
    assert bad.keys() == {"file", "error"}


def test_a_second_run_replaces_the_first(folder):
    run(folder)
    before = files(folder)
    good, _ = run(folder, predict=lambda picture: np.ones(picture.shape[:2], np.uint8))
    assert good.shares == {"cat": 1.0}
    assert files(folder) == before
    assert np.asarray(Image.open(folder / "out" / good.mask)).all()


def test_an_interrupted_run_keeps_a_summary_of_what_is_done(folder):
    def stop(prediction):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(folder, on_picture=stop)
    summary = json.loads((folder / "out" / SUMMARY).read_text())
    assert [entry["mask"] for entry in summary["pictures"]] == ["good_mask.png"]
    assert not [name for name in files(folder) if name.endswith(".tmp")]


def test_what_opencv_cannot_process_is_passed_over(folder):
    def fail(picture):
        cv2.resize(picture, (0, 0))

    good, _ = run(folder, predict=fail)
    assert "OpenCV cannot process it" in good.error


def test_a_network_of_more_classes_than_a_mask_holds_is_refused(folder):
    labels = Labels(tuple(map(str, range(257))), voc_palette(257))
    with pytest.raises(ValueError, match="up to 256 classes"):
        run(folder, labels=labels)
    assert not (folder / "out").exists()


def test_an_output_folder_that_cannot_be_made_is_one_sentence(folder):
    (folder / "out").touch()
    with pytest.raises(OSError, match="cannot be made"):
        run(folder)


def test_small_shares_are_not_nothing():
    assert percent(0.335) == "33.5 %"
    assert percent(0.0004) == "<0.1 %"
    assert percent(1.0) == "100.0 %"
