"""Datasets and configs from end to end: which findings there are, and which are not."""

import shutil

import cv2
import numpy as np
import pytest

from seg_jax.data.preparation.prepare import prepare
from seg_jax.doctor.diagnosis import to_record
from seg_jax.doctor.examine import examine_configs, examine_dataset
from seg_jax.doctor.looking import Where
from seg_jax.registry import UnknownNameError


def kinds(diagnosis):
    return [(finding.severity, finding.kind) for finding in diagnosis.findings]


def test_a_prepared_set_is_sound_and_its_unlabelled_split_is_noted(prepared):
    diagnosis = examine_dataset(Where("camvid", str(prepared)))
    assert (diagnosis.form, diagnosis.weighed) == ("prepared", "train")
    assert list(diagnosis.examined) == ["train", "val", "test"]
    assert kinds(diagnosis) == [("note", "no labels")]
    assert diagnosis.sound


def test_files_and_the_prepared_set_give_the_same_record(prepared, sound_tree):
    records = [
        to_record(examine_dataset(Where("camvid", str(prepared), manual)))
        for manual in ("", str(sound_tree))
    ]
    for record in records:
        del record["form"], record["place"]
    assert records[0] == records[1]


def test_a_split_that_is_not_there_is_a_warning_unless_splits_are_named(sound_tree, tmp_path):
    shutil.rmtree(sound_tree / "val")
    shutil.rmtree(sound_tree / "test")
    where = Where("camvid", str(tmp_path / "nowhere"), str(sound_tree))
    diagnosis = examine_dataset(where)
    assert kinds(diagnosis) == [("warning", "missing split")] * 2
    assert "3 examples" in diagnosis.findings[0].sentence
    assert diagnosis.findings[0].remedy == "Add its files if it is needed."
    assert diagnosis.sound
    assert kinds(examine_dataset(where, ["train"])) == []
    with pytest.raises(FileNotFoundError, match="'val' of 'camvid' is not among the files"):
        examine_dataset(where, ["val"])
    with pytest.raises(UnknownNameError, match="Did you mean 'train'"):
        examine_dataset(where, ["trian"])


def test_a_split_that_was_missing_when_the_set_was_prepared_takes_preparing_again(
    sound_tree, tmp_path
):
    shutil.rmtree(sound_tree / "test")
    prepare("camvid", data_dir=tmp_path / "data", manual_dir=sound_tree)
    (finding,) = examine_dataset(Where("camvid", str(tmp_path / "data"))).findings
    assert (finding.kind, finding.split) == ("missing split", "test")
    assert "prepare again" in finding.remedy


def test_splits_that_are_both_for_evaluation_may_share_images(sound_tree, tmp_path):
    shutil.copy(sound_tree / "val" / "val_0.png", sound_tree / "test" / "test_0.png")
    where = Where("camvid", str(tmp_path / "nowhere"), str(sound_tree))
    assert kinds(examine_dataset(where)) == [("note", "no labels")]
    shutil.copy(sound_tree / "train" / "train_0.png", sound_tree / "test" / "test_1.png")
    assert kinds(examine_dataset(where))[0] == ("fault", "duplicates between")


def test_a_set_that_is_not_prepared_says_how(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"launch.py prepare --dataset=camvid"):
        examine_dataset(Where("camvid", str(tmp_path)))


def test_a_folder_that_is_none_and_a_set_without_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone is not a folder"):
        examine_dataset(Where("camvid", manual_dir=str(tmp_path / "gone")))
    with pytest.raises(ValueError, match="made on demand and has no files"):
        examine_dataset(Where("scenes", manual_dir=str(tmp_path)))


def check(prepared, *configs):
    return examine_configs(Where("camvid", str(prepared)), configs)


def test_a_config_that_fits_has_no_finding(prepared, make_config):
    diagnosis = check(prepared, make_config())
    assert kinds(diagnosis) == []
    assert list(diagnosis.examined) == ["train", "val"]


@pytest.mark.parametrize(
    ("fields", "severity", "kind", "sentence"),
    [
        ({"dataset__eval_split": "train"}, "fault", "same split", "eval_split are both 'train'"),
        ({"dataset__eval_split": "test"}, "fault", "unlabelled split", "eval_split='test'"),
        ({"dataset__size": (25, 32)}, "warning", "size above images", "(25, 32) is larger"),
        ({"augment__crop_size": (49, 64)}, "warning", "crop above images", "48 x 64"),
        ({"train__batch_size": 5}, "warning", "batch above split", "batch_size=5"),
        ({"model__num_classes": 3}, "fault", "classes of the model", "num_classes=3"),
    ],
)
def test_a_config_that_does_not_fit(prepared, make_config, fields, severity, kind, sentence):
    if "model__num_classes" in fields:
        config = make_config()
        with config.unlocked():
            config.model.num_classes = 3
    else:
        config = make_config(**fields)
    diagnosis = check(prepared, config)
    (finding,) = [finding for finding in diagnosis.findings if finding.severity != "note"]
    assert (finding.severity, finding.kind) == (severity, kind)
    assert sentence in finding.sentence
    assert finding.remedy


@pytest.mark.parametrize(
    "fields",
    [
        {"dataset__size": (24, 32)},
        {"augment__crop_size": (48, 64)},
        {
            "augment__crop_size": (90, 120),
            "augment__resize": "fixed",
            "augment__base_size": (45, 60),
        },
        {"train__batch_size": 4},
    ],
)
def test_a_config_at_the_very_edge_fits(prepared, make_config, fields):
    assert kinds(check(prepared, make_config(**fields))) == []


def test_a_crop_is_held_against_the_size_that_the_config_gives_images(prepared, make_config):
    config = make_config(augment__crop_size=(25, 32), dataset__size=(12, 16))
    (finding,) = check(prepared, config).findings
    assert "at the largest scale, 24 x 32" in finding.sentence


def test_folds_of_one_split_do_not_leak_but_one_and_its_whole_do(prepared, make_config):
    folds = [
        make_config(dataset__train_split=f"fold{i}_train", dataset__eval_split=f"fold{i}_val")
        for i in range(2)
    ]
    diagnosis = check(prepared, *folds)
    assert "duplicates between" not in [kind for _, kind in kinds(diagnosis)]
    whole = make_config(dataset__eval_split="fold0_val")
    assert ("fault", "duplicates between") in kinds(check(prepared, whole))


def test_trials_that_say_the_same_are_told_once(prepared, make_config):
    small = [make_config(train__batch_size=9, schedule__base_lr=lr) for lr in (0.1, 0.2)]
    assert kinds(check(prepared, *small)) == [("warning", "batch above split")]


def test_nothing_is_said_of_batches_where_every_example_is_faulty(
    sound_tree, tmp_path, make_config
):
    for file in (sound_tree / "trainannot").iterdir():
        file.write_bytes(b"no picture")
    where = Where("camvid", str(tmp_path / "nowhere"), str(sound_tree))
    found = kinds(examine_configs(where, [make_config()]))
    assert "fault" in [severity for severity, _ in found]
    assert "batch above split" not in [kind for _, kind in found]


def test_views_of_files_are_said_to_be_unseen(sound_tree, tmp_path, make_config):
    config = make_config(dataset__train_split="fold0_train", dataset__eval_split="fold0_val")
    where = Where("camvid", str(tmp_path / "nowhere"), str(sound_tree))
    diagnosis = examine_configs(where, [config])
    assert list(diagnosis.examined) == ["train"]
    assert kinds(diagnosis) == [("note", "views")]


def own(root, **fields):
    return {
        "path": str(root),
        "images": "{split}/*.png",
        "labels": "{split}annot/*.png",
        "classes": [[str(k), k] for k in range(11)],
        "ignore": (11,),
        "splits": ("train", "val"),
        **fields,
    }


def test_the_users_own_folder_is_looked_at_as_files_until_it_is_prepared(
    sound_tree, tmp_path, make_config
):
    data = str(tmp_path / "own")
    where = Where("folder", data, folder=own(sound_tree))
    config = make_config(dataset__name="folder")
    diagnosis = examine_configs(where, [config])
    assert (diagnosis.form, kinds(diagnosis)) == ("files", [])
    prepare("folder", data_dir=data, folder=own(sound_tree))
    diagnosis = examine_configs(where, [config])
    assert (diagnosis.form, kinds(diagnosis)) == ("prepared", [])
    path = sound_tree / "valannot" / "val_0.png"
    cv2.imwrite(str(path), np.full((24, 32), 77, np.uint8))
    diagnosis = examine_configs(where, [config])
    assert diagnosis.form == "files"
    assert kinds(diagnosis) == [("fault", "refused"), ("warning", "changed files")]
    assert "77" in diagnosis.findings[0].detail


def test_what_cannot_be_paired_is_a_fault_and_not_a_stop(sound_tree, tmp_path):
    (sound_tree / "trainannot" / "train_0.png").unlink()
    diagnosis = examine_dataset(Where("folder", str(tmp_path / "own"), folder=own(sound_tree)))
    assert kinds(diagnosis) == [("fault", "listing")]
    assert "train_0" in diagnosis.findings[0].sentence
    assert diagnosis.examined == {}
    assert to_record(diagnosis)["sound"] is False
