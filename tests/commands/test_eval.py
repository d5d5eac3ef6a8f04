"""`eval` as a user meets it: questions add rows, are answered once, and contradict no training."""

import copy
import json

import numpy as np
import pytest

import launch
from seg_jax import compilation_cache, trial
from seg_jax.config import base_config, to_dict
from seg_jax.evaluate.records import Records, read_records
from seg_jax.files import write_json
from seg_jax.sweeps.plan import make_plan
from seg_jax.sweeps.status import Status, write_status
from seg_jax.sweeps.store import store_plan

RECORDS = Records(("a", "b"), {"confusion": np.ones((2, 3, 3), np.int64)})


def make_row(split="val", miou=0.5, interval=(0.4, 0.6)):
    return {
        "label": "U-Net",
        "dataset": "scenes",
        "split": split,
        "protocol": {"flip": True},
        "protocol_text": "whole images, flipped, too",
        "metrics": {"miou": miou, "pixel_accuracy": 0.875},
        "intervals": {"miou": list(interval) if interval else None},
    }


def make_trial(folder, config):
    """Makes the folder of a finished trial with checkpoints of steps 5, 10 and 100."""
    folder.mkdir(parents=True)
    write_json(folder / "config.json", config)
    write_json(folder / "result.json", {**make_row(miou=0.3, interval=None), "num_steps": 100})
    write_status(folder, Status(state="done"))
    for step in (5, 10, 100):
        (folder / "checkpoints" / str(step)).mkdir(parents=True)
    (folder / "checkpoints" / "damaged_200").mkdir()
    return folder


@pytest.fixture
def folder(tmp_path):
    """The folder of a finished trial."""
    return make_trial(tmp_path / "trial", to_dict(base_config()))


@pytest.fixture
def asked(monkeypatch):
    """Puts a constant answer for the evaluation, and returns the list of what was evaluated."""
    calls = []

    def evaluate_again(config, workdir, *, step):
        calls.append((copy.deepcopy(config), workdir, step))
        return make_row(config.dataset.eval_split), RECORDS

    monkeypatch.setattr(trial, "evaluate_again", evaluate_again)
    # It would be on for every test after these.
    monkeypatch.setattr(compilation_cache, "enable", lambda: None)
    return calls


def run(capsys, *arguments):
    code = launch.main(["eval", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def rows(folder):
    path = folder / "evaluations.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def table(out):
    """The rows of the table by their first cell."""
    lines = [line for line in out.splitlines() if "  " in line and "---" not in line]
    split = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]
    return {cells[0]: cells[1:] for cells in split}


def test_a_question_adds_a_row_and_its_records(folder, asked, capsys):
    before = (folder / "result.json").read_bytes()
    code, out, err = run(capsys, f"--workdir={folder}", "--config.evaluate.flip=True")
    assert (code, err) == (0, "")
    ((config, workdir, step),) = asked
    assert (config.evaluate.flip, workdir, step) == (True, folder, 100)
    (row,) = rows(folder)
    assert row.items() >= make_row().items()
    question = row["asked"]
    assert question["evaluate"]["flip"] is True
    assert {name: question[name] for name in ("dataset", "split", "step", "weights")} == {
        "dataset": "scenes",
        "split": "val",
        "step": 100,
        "weights": "params",
    }
    assert row["records"] == f"evaluations/{row['key']}.npz"
    assert read_records(folder / row["records"]).ids == ("a", "b")
    assert (folder / "result.json").read_bytes() == before
    found = table(out)
    assert found["training"] == ["val", "100", "whole images, flipped, too", "30.00", "-", "87.50"]
    assert found[row["key"]] == [
        "val",
        "100",
        "whole images, flipped, too",
        "50.00",
        "[40.00, 60.00]",
        "87.50",
    ]


def test_the_same_question_is_answered_from_its_row(folder, asked, capsys):
    arguments = (f"--workdir={folder}", "--config.evaluate.flip=True")
    run(capsys, *arguments)
    before = (folder / "evaluations.jsonl").read_bytes()
    code, out, _ = run(
        capsys,
        *arguments,
        "--config.evaluate.batch_size=3",
        "--step=100",
        "--config.evaluate.num_pictures=1",
        "--config.evaluate.probes=False",
        "--config.evaluate.every=9",
    )
    assert code == 0
    assert len(asked) == 1
    assert "Evaluated before, on " in out
    assert "Nothing is computed again" in out
    assert rows(folder)[0]["key"] in table(out)
    assert (folder / "evaluations.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    "other",
    [
        "--config.evaluate.scales=(0.5,1.0)",
        "--config.dataset.eval_split=test",
        "--config.evaluate.boundary_widths=(3,)",
        "--config.dataset.data_dir=elsewhere",
        "--step=10",
    ],
)
def test_another_question_is_another_row(folder, asked, capsys, other):
    run(capsys, f"--workdir={folder}")
    code, _, err = run(capsys, f"--workdir={folder}", other)
    assert (code, err) == (0, "")
    assert len(asked) == 2
    first, second = rows(folder)
    assert first["key"] != second["key"]
    assert first["asked"] != second["asked"]


def test_a_row_that_lost_its_records_is_computed_again(folder, asked, capsys):
    run(capsys, f"--workdir={folder}")
    (row,) = rows(folder)
    (folder / row["records"]).unlink()
    code, out, _ = run(capsys, f"--workdir={folder}")
    assert code == 0
    assert len(asked) == 2
    assert (folder / row["records"]).exists()
    assert [r["key"] for r in rows(folder)] == [row["key"]] * 2
    assert list(table(out)) == ["row", "training", row["key"]]


def test_averaged_weights_are_named(tmp_path, asked, capsys):
    config = base_config()
    config.train.ema_decay = 0.9
    folder = make_trial(tmp_path / "trial", to_dict(config))
    run(capsys, f"--workdir={folder}")
    assert rows(folder)[0]["asked"]["weights"] == "ema"


@pytest.mark.parametrize(
    "field",
    [
        "evaluate.flip=True",
        "dataset.eval_split=test",
        "dataset.in_memory=True",
        "dataset.data_dir=x",
        "parallel.backend=shard_map",
    ],
)
def test_what_an_evaluation_may_change(folder, asked, capsys, field):
    code, _, err = run(capsys, f"--workdir={folder}", f"--config.{field}")
    assert (code, err, len(asked)) == (0, "", 1)


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ("seed=3", "was trained with seed=0, not 3; an evaluation may change evaluate.*"),
        ("model.depth=3", "was trained with model.depth=None, not 3"),
        ("dataset.name=camvid", "dataset.name='scenes', not 'camvid'"),
        ("dataset.train_split=val", "dataset.train_split='train', not 'val'"),
        (
            "model.backbone={'output_stride': 8}",
            "model.backbone.output_stride=None, not 8; set config.evaluate.output_stride",
        ),
    ],
)
def test_what_contradicts_the_training_is_refused(folder, asked, capsys, field, sentence):
    code, out, err = run(capsys, f"--workdir={folder}", f"--config.{field}")
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
    assert not asked


def test_a_config_of_its_own_must_agree_with_the_training(folder, asked, capsys, tmp_path):
    config = base_config()
    config.evaluate.flip = True
    write_json(tmp_path / "config.json", to_dict(config))
    code, _, err = run(capsys, f"--workdir={folder}", f"--config={tmp_path / 'config.json'}")
    assert (code, err) == (0, "")
    assert asked[0][0].evaluate.flip
    config.train.num_steps = 7
    write_json(tmp_path / "config.json", to_dict(config))
    code, _, err = run(capsys, f"--workdir={folder}", f"--config={tmp_path / 'config.json'}")
    assert code == 2
    assert "train.num_steps=1000, not 7" in err


def test_the_protocol_is_validated_first(folder, asked, capsys):
    code, _, err = run(capsys, f"--workdir={folder}", "--config.evaluate.window=slide")
    assert code == 2
    assert "'sliding'" in err
    assert not asked


@pytest.mark.parametrize(("step", "taken"), [("last", 100), ("5", 5), ("best", 10)])
def test_the_step_is_chosen(folder, asked, capsys, step, taken):
    measured = [(5, 0.3), (7, 0.9), (10, 0.6), (100, 0.5)]  # step 7 is no longer there
    lines = [json.dumps({"step": s, "miou": m}) for s, m in measured]
    (folder / "metrics.jsonl").write_text("\n".join([*lines, json.dumps({"step": 4, "loss": 2})]))
    code, _, err = run(capsys, f"--workdir={folder}", f"--step={step}")
    assert (code, err) == (0, "")
    assert asked[0][2] == taken
    assert rows(folder)[0]["asked"]["step"] == taken


def test_of_equally_good_steps_the_last_is_taken(folder, asked, capsys):
    lines = [json.dumps({"step": s, "miou": 0.5}) for s in (5, 100, 10)]
    (folder / "metrics.jsonl").write_text("\n".join(lines))
    run(capsys, f"--workdir={folder}", "--step=best")
    assert asked[0][2] == 100


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ("7", "--step=7 is no checkpoint of"),
        ("first", "take last, best or one of 5, 10, 100"),
        ("best", "was evaluated during its training, so none is the best"),
    ],
)
def test_steps_that_are_not_there(folder, asked, capsys, step, sentence):
    code, _, err = run(capsys, f"--workdir={folder}", f"--step={step}")
    assert code == 2
    assert sentence in err
    assert not asked


def test_folders_that_hold_nothing(tmp_path, asked, capsys):
    code, _, err = run(capsys, f"--workdir={tmp_path}")
    assert code == 2
    assert "is neither the folder of a trial nor that of a sweep" in err
    write_json(tmp_path / "config.json", to_dict(base_config()))
    code, _, err = run(capsys, f"--workdir={tmp_path}")
    assert code == 2
    assert "holds no checkpoint" in err


@pytest.fixture
def sweep(tmp_path):
    """The folder of a sweep of three trials, the last of which is not finished."""
    folder = tmp_path / "sweep"
    folder.mkdir()
    overrides = [{"seed": seed} for seed in range(3)]
    plan = make_plan("toy", to_dict(base_config()), overrides, lambda base, change: base | change)
    store_plan(folder, plan)
    trials = [make_trial(folder / t.uid, t.config) for t in plan.trials]
    write_status(trials[2], Status(state="running"))
    return folder, trials


def test_every_finished_trial_of_a_sweep_is_evaluated(sweep, asked, capsys):
    folder, trials = sweep
    code, out, _ = run(capsys, f"--workdir={folder}", "--config.evaluate.flip=True")
    assert code == 0
    assert [workdir for _, workdir, _ in asked] == trials[:2]
    assert [config.seed for config, _, _ in asked] == [0, 1]
    # Another seed is asked the same, so that `compare` finds both by one key.
    assert rows(trials[0])[0]["key"] == rows(trials[1])[0]["key"]
    assert not rows(trials[2])
    assert "1 of 3 trials are not finished" in out


def test_a_failing_trial_does_not_cost_the_others_theirs(sweep, asked, capsys):
    folder, trials = sweep
    (trials[0] / "config.json").write_text("{")
    code, _, err = run(capsys, f"--workdir={folder}")
    assert code == 1
    assert "Failed: toy seed 0: " in err
    assert [workdir for _, workdir, _ in asked] == [trials[1]]


def test_a_sweep_has_no_single_config_and_needs_a_result(sweep, asked, capsys):
    folder, trials = sweep
    code, _, err = run(capsys, f"--workdir={folder}", f"--config={trials[0] / 'config.json'}")
    assert code == 2
    assert "leave out --config" in err
    for path in trials:
        write_status(path, Status(state="failed"))
    code, _, err = run(capsys, f"--workdir={folder}")
    assert code == 2
    assert "No trial of" in err
    assert not asked
