import logging
import sys

import pytest

from seg_jax.data.prepare import prepare
from seg_jax.registry import UnknownNameError


def test_a_second_call_does_nothing(camvid_tree, tmp_path):
    root = camvid_tree(train=2, val=1, test=1)
    first = prepare("camvid", data_dir=tmp_path / "data", manual_dir=root)
    files = {p: p.stat().st_mtime_ns for p in first.path.iterdir()}
    (root / "train" / "train_0.png").unlink()
    second = prepare("camvid", data_dir=tmp_path / "data", manual_dir=root)
    assert (first.built, second.built) == (True, False)
    assert second.splits == first.splits
    assert {p: p.stat().st_mtime_ns for p in first.path.iterdir()} == files


def test_wrong_counts_are_said(camvid_tree, tmp_path, caplog):
    root = camvid_tree(train=2)
    with caplog.at_level(logging.WARNING):
        prepare("camvid", data_dir=tmp_path / "data", manual_dir=root)
    assert "'train' of camvid holds 2 examples where its authors state 367" in caplog.text


def test_no_tensorflow_is_needed(camvid_tree, tmp_path):
    prepare("camvid", data_dir=tmp_path / "data", manual_dir=camvid_tree(train=1))
    assert "tensorflow" not in sys.modules


def test_mistakes_of_the_caller_are_named(tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'camvid'"):
        prepare("canvid", data_dir=tmp_path)
    with pytest.raises(FileNotFoundError, match=r"--manual_dir=.*nowhere is not a folder"):
        prepare("camvid", data_dir=tmp_path, manual_dir=tmp_path / "nowhere")


@pytest.mark.parametrize(("make", "fault"), [(True, "is empty"), (False, "is not a folder")])
def test_a_manual_folder_with_nothing_in_it_says_what_belongs_there(tmp_path, make, fault):
    folder = tmp_path / "manual"
    if make:
        folder.mkdir()
    with pytest.raises(FileNotFoundError, match=rf"{fault}. Put there: .*trainannot/"):
        prepare("camvid", data_dir=tmp_path / "data", manual_dir=folder)
