"""`launch.py doctor` as scripts see it: exit status, printed text, files.

Output is captured by file descriptor: what replaces sys.stderr otherwise is no TextIO to the type
checker.
"""

import dataclasses
import json

import cv2
import numpy as np
import pytest

import launch
from seg_jax.data.datasets.camvid import SPEC, CamVid

EXPERIMENT = """
from seg_jax.config import base_config

def get_config():
    config = base_config()
    config.dataset.name = {name!r}
    config.dataset.data_dir = {data!r}
    config.augment.crop_size = (16, 16)
    config.train.batch_size = 2
    return config
"""


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A CamVid in its publisher's layout, with nothing wrong; the working folder is beside it."""
    counts = {"train": 3, "val": 2}
    monkeypatch.setattr(CamVid, "SPEC", dataclasses.replace(SPEC, splits=counts))
    rng = np.random.default_rng(0)
    root = tmp_path / "published"
    for split, count in counts.items():
        for part, shape, high in (("", (16, 24, 3), 256), ("annot", (16, 24), 11)):
            folder = root / f"{split}{part}"
            folder.mkdir(parents=True)
            for i in range(count):
                cv2.imwrite(str(folder / f"{split}{i}.png"), rng.integers(0, high, shape, np.uint8))
    monkeypatch.chdir(tmp_path)
    return root


def doctor(*arguments):
    return launch.main(["doctor", *map(str, arguments)])


def break_it(tree):
    (tree / "valannot" / "val0.png").unlink()


def test_a_sound_set_exits_with_0_and_writes_its_files(tree, tmp_path, capfd):
    assert doctor("--dataset=camvid", f"--manual_dir={tree}") == 0
    printed = capfd.readouterr()
    assert "Sound: no faults, no warnings." in printed.out
    assert printed.err == ""
    out = tmp_path / "runs" / "doctor" / "camvid"
    assert sorted(path.name for path in out.iterdir()) == [
        "contact_sheet.png",
        "diagnosis.json",
        "index.html",
    ]


def test_a_fault_exits_with_1_and_says_it(tree, capfd):
    break_it(tree)
    assert doctor("--dataset=camvid", f"--manual_dir={tree}", "--out=here") == 1
    printed = capfd.readouterr().out
    assert "fault  missing label (val)" in printed
    assert "Page: here/index.html" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset=camvit"], "Did you mean 'camvid'"),
        (["--dataset=camvid", "--data_dir=nowhere"], "has not been prepared in nowhere"),
        (["--dataset=camvid", "--manual_dir=nowhere"], "nowhere is not a folder"),
        (["--dataset=camvid", "--split=vall", "--manual_dir=published"], "Did you mean 'val'"),
        (["--dataset=camvid", "--manul_dir=x"], "is no option of this verb"),
        (["--config=nowhere.py"], "No experiment at nowhere.py"),
        (["--config=experiment.py", "--split=val"], "--split is for --dataset"),
        (["--config=experiment.py", "--config.train.batch_size=0"], "config.train.batch_size=0"),
    ],
)
def test_wrong_arguments_exit_with_2_and_one_sentence(tree, tmp_path, capfd, arguments, message):
    (tmp_path / "experiment.py").write_text(EXPERIMENT.format(name="camvid", data="nowhere"))
    assert doctor(*arguments) == 2
    printed = capfd.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_without_dataset_or_config_it_says_which_are_wanted(capfd):
    with pytest.raises(SystemExit, match="2"):
        doctor()
    assert "--dataset" in capfd.readouterr().err


def test_json_is_all_that_is_printed_and_is_what_is_written(tree, tmp_path, capfd):
    break_it(tree)
    assert doctor("--dataset=camvid", f"--manual_dir={tree}", "--out=here", "--json") == 1
    printed = json.loads(capfd.readouterr().out)
    assert printed == json.loads((tmp_path / "here" / "diagnosis.json").read_text())
    (finding,) = printed["findings"]
    assert (finding["kind"], finding["examples"]) == ("missing label", ["val0"])
    assert printed["sound"] is False


def test_a_config_is_held_against_its_data(tree, tmp_path, capfd):
    path = tmp_path / "experiment.py"
    path.write_text(EXPERIMENT.format(name="camvid", data=str(tmp_path / "data")))
    assert launch.main(["prepare", f"--config={path}", f"--manual_dir={tree}"]) == 0
    capfd.readouterr()
    assert doctor(f"--config={path}") == 0
    assert "Sound: no faults, no warnings." in capfd.readouterr().out
    assert doctor(f"--config={path}", "--config.dataset.eval_split=train") == 1
    assert "same split" in capfd.readouterr().out


def test_trials_of_several_datasets_have_a_folder_each(tree, tmp_path, capfd):
    sweep = '\ndef sweep():\n    yield from ({"dataset.data_dir": d} for d in ("a", "b"))\n'
    path = tmp_path / "experiment.py"
    path.write_text(EXPERIMENT.format(name="camvid", data="") + sweep)
    for data in "ab":
        assert (
            launch.main(
                ["prepare", "--dataset=camvid", f"--data_dir={data}", f"--manual_dir={tree}"]
            )
            == 0
        )
    capfd.readouterr()
    assert doctor(f"--config={path}") == 0
    assert capfd.readouterr().out.count("Sound:") == 2
