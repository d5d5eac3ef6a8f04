"""`compare` as a user meets it: a sweep's folder in, a table and sentences out."""

import json

import numpy as np
import pytest

import launch
from seg_jax.config import base_config, to_dict
from seg_jax.evaluate.records import Records, write_records
from seg_jax.evaluate.rows import add_row
from seg_jax.files import write_json
from seg_jax.sweeps.plan import make_plan
from seg_jax.sweeps.status import Status, write_status
from seg_jax.sweeps.store import store_plan

IDS = tuple(f"image {place}" for place in range(40))
SKILLS = {"U-Net": 0.7, "DeepLabv3+": 0.76, "FCN": 0.702}


def make_records(seed, skill):
    rng = np.random.default_rng(seed)
    hits = rng.binomial(100, skill, (len(IDS), 3))
    confusion = hits[:, :, None] * np.eye(3, dtype=np.int64)
    confusion[:, [0, 1, 2], [1, 2, 0]] += 100 - hits
    return Records(IDS, {"confusion": confusion})


def make_row(label="", split="val", **changed):
    row = {
        "label": label,
        "dataset": "scenes",
        "split": split,
        "protocol": {"resize": "native"},
        "protocol_text": "whole images at their own size",
        "metrics": {"miou": 0.5, "iou_per_class": dict.fromkeys("abc", 0.5)},
        "data": {"eval": {"sha256": "abc"}},
    }
    return {**row, **changed}


@pytest.fixture
def make_sweep(tmp_path):
    """Returns a function that makes the folder of a sweep whose trials are all done."""

    def make(name="sweep", skills=SKILLS, seeds=2):
        overrides = [
            {"label": label, "model": {"name": label}, "seed": seed}
            for seed in range(seeds)
            for label in skills
        ]
        config = to_dict(base_config())
        plan = make_plan("toy", config, overrides, lambda base, change: {**base, **change})
        folder = tmp_path / name
        folder.mkdir()
        store_plan(folder, plan)
        for place, trial in enumerate(plan.trials):
            path = folder / trial.uid
            path.mkdir()
            write_json(path / "config.json", trial.config)
            write_json(path / "result.json", make_row(trial.label))
            records = make_records(place, skills[trial.label])
            write_records(path / "per_image.npz", *records)
            write_status(path, Status(state="done"))
        return folder, {(trial.label, trial.seed): folder / trial.uid for trial in plan.trials}

    return make


def run(capsys, *arguments):
    code = launch.main(["compare", "--resamples=999", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def cells(out, first):
    """The cells of the table rows that begin with `first`, by columns two spaces apart."""
    rows = [line for line in out.splitlines() if line.startswith(first) and "  " in line]
    return [[cell.strip() for cell in row.split("  ") if cell.strip()] for row in rows]


def test_a_sweep_is_compared_pair_by_pair(make_sweep, capsys):
    folder, _ = make_sweep()
    before = sorted(path.name for path in folder.rglob("*"))
    code, out, err = run(capsys, f"--workdir={folder}")
    assert (code, err) == (0, "")
    side, *pairs = cells(out, "DeepLabv3+")
    assert side[0] == "DeepLabv3+"
    assert float(side[1]) == pytest.approx(61.3, abs=0.8)  # 0.76 / (2 - 0.76)
    assert side[3] == "2"
    assert side[5] == "40"
    assert {pair[1] for pair in pairs} == {"U-Net", "FCN"}
    sentences = [line for line in out.splitlines() if " points of mIoU" in line]
    assert len(sentences) == 3
    assert "DeepLabv3+ is better than U-Net: +" in out
    assert "DeepLabv3+ is better than FCN: +" in out
    assert any("cannot be told apart" in line and "U-Net" in line for line in sentences)
    assert "corrected for 3 pairs" in out
    assert "not that of seeds" in out
    assert "Trained once" not in out
    assert sorted(path.name for path in folder.rglob("*")) == before


def test_out_holds_what_is_printed(make_sweep, capsys, tmp_path):
    folder, _ = make_sweep()
    code, out, _ = run(capsys, f"--workdir={folder}", f"--out={tmp_path / 'pairs.json'}")
    assert code == 0
    values = json.loads((tmp_path / "pairs.json").read_text())
    by_label = {side["label"]: side for side in values["configurations"]}
    for label in SKILLS:
        (row, *_) = cells(out, label)
        side = by_label[label]
        assert row[1] == f"{100 * side['miou']:.2f}"
        assert row[2] == "[{:.2f}, {:.2f}]".format(*(100 * end for end in side["interval"]))
        mean, std = np.mean(side["miou_of_seeds"]), np.std(side["miou_of_seeds"], ddof=1)
        assert row[4] == f"{100 * mean:.2f} ± {100 * std:.2f}"
        assert side["std_of_seeds"] == pytest.approx(std)
        assert side["interval"][0] < side["miou"] < side["interval"][1]
        assert (side["sha256"], side["protocol"]) == ("abc", {"resize": "native"})
    assert len(values["pairs"]) == 3
    for pair in values["pairs"]:
        assert pair["difference"] == pytest.approx(
            by_label[pair["better"]]["miou"] - by_label[pair["worse"]]["miou"]
        )
        (row,) = (r for r in cells(out, pair["better"])[1:] if r[1] == pair["worse"])
        assert row[2] == f"{100 * pair['difference']:+.2f}"
        assert row[3] == "[{:+.2f}, {:+.2f}]".format(*(100 * end for end in pair["interval"]))
        assert row[4:6] == [f"{pair['p_value']:.2g}", f"{pair['p_value_holm']:.2g}"]
        assert row[6] == f"{100 * pair['std_over_seeds']:.2f}"
        assert pair["p_value"] <= pair["p_value_holm"]


def test_two_trials_of_different_sweeps(make_sweep, capsys):
    _, first = make_sweep("one", {"U-Net": 0.7}, 1)
    _, second = make_sweep("two", {"FCN": 0.8}, 1)
    code, out, _ = run(capsys, "--trials", first["U-Net", 0], second["FCN", 0])
    assert code == 0
    assert "FCN is better than U-Net: +" in out
    assert "Trained once, so with unknown scatter over seeds: U-Net, FCN." in out
    assert "corrected" not in out
    side, pair = cells(out, "FCN")
    assert side[4] == side[1]
    assert pair[-1] == "-"


def test_seeds_of_several_folders_are_one_configuration(make_sweep, capsys):
    folder, trials = make_sweep("one", {"U-Net": 0.7, "FCN": 0.75}, 2)
    code, out, _ = run(capsys, "--trials", *trials.values())
    again, same, _ = run(capsys, "--trials", folder, trials["FCN", 1])
    assert (code, again) == (0, 0)
    assert out == same
    assert [row[3] for row in (cells(out, "U-Net")[0], cells(out, "FCN")[0])] == ["2", "2"]


def test_seeds_alone_stand_for_themselves(make_sweep, capsys):
    folder, trials = make_sweep("one", {"U-Net": 0.7}, 2)
    code, out, _ = run(capsys, f"--workdir={folder}")
    assert code == 0
    for seed in (0, 1):
        assert f"U-Net seed {seed} ({trials['U-Net', seed].name})" in out
    assert "cannot be told apart" in out


def test_unfinished_trials_of_a_sweep_are_left_out(make_sweep, capsys):
    folder, trials = make_sweep()
    for seed in (0, 1):
        (trials["FCN", seed] / "result.json").unlink()
    write_status(trials["U-Net", 1], Status(state="failed"))
    code, out, _ = run(capsys, f"--workdir={folder}")
    assert code == 0
    assert "FCN" not in out
    assert cells(out, "U-Net")[0][3] == "1"


def test_a_difference_within_the_scatter_of_seeds_is_called_so(make_sweep, capsys):
    folder, trials = make_sweep("one", {"A": 0.7, "B": 0.75}, 2)
    for seed, skill in enumerate((0.6, 0.8)):
        write_records(trials["A", seed] / "per_image.npz", *make_records(seed, skill))
    code, out, _ = run(capsys, f"--workdir={folder}")
    assert code == 0
    assert "B is better than A" in out
    assert "no more than what two trainings with other seeds differ by" in out


def test_rows_of_eval_are_compared_on_request(make_sweep, capsys):
    folder, trials = make_sweep("one", {"A": 0.7, "B": 0.7}, 1)
    for place, (label, skill) in enumerate((("A", 0.9), ("B", 0.6))):
        row = make_row(split="test")
        add_row(trials[label, 0], f"key{label}", {}, row, make_records(place, skill))
    code, out, _ = run(capsys, f"--workdir={folder}", "--evaluation", "keyA", "keyB")
    assert code == 0
    assert "A is better than B" in out
    code, _, err = run(capsys, f"--workdir={folder}", "--evaluation", "keyA")
    assert code == 2
    assert "has no evaluation keyA; it has keyB (test, whole images at their own size)" in err


def test_what_does_not_compare_is_refused_or_allowed(make_sweep, capsys):
    folder, trials = make_sweep("one", {"A": 0.7, "B": 0.9}, 1)
    write_json(trials["B", 0] / "result.json", make_row("B", protocol={"resize": "short"}))
    code, out, err = run(capsys, f"--workdir={folder}")
    assert (code, out) == (2, "")
    assert "A and B do not compare: resize of their protocols is 'native'" in err
    code, out, _ = run(capsys, f"--workdir={folder}", "--any_protocol")
    assert code == 0
    assert "B is better than A" in out


def test_what_compares_is_compared_and_the_rest_named(make_sweep, capsys):
    folder, trials = make_sweep(seeds=1)
    write_json(trials["FCN", 0] / "result.json", make_row("FCN", split="test"))
    code, out, _ = run(capsys, f"--workdir={folder}")
    assert code == 0
    assert "DeepLabv3+ is better than U-Net" in out
    assert "U-Net and FCN do not compare: split is 'val' for one and 'test' for the other." in out


def test_mistakes_are_one_sentence(make_sweep, capsys, tmp_path):
    folder, trials = make_sweep("one", {"A": 0.7, "B": 0.9}, 1)
    for arguments, sentence in (
        ([f"--workdir={tmp_path}"], "is neither a finished trial nor a sweep"),
        (["--trials", trials["A", 0]], "It takes two configurations"),
        ([f"--workdir={folder}", "--config.seed=3"], "is no option of this verb"),
        ([f"--workdir={folder}", "--resamples=0"], "--resamples=0 must be 1 or more"),
    ):
        code, out, err = run(capsys, *arguments)
        assert (code, out) == (2, "")
        assert sentence in err
        assert err.count("\n") == 1
    (trials["A", 0] / "per_image.npz").unlink()
    code, _, err = run(capsys, f"--workdir={folder}")
    assert code == 2
    assert "per_image.npz does not exist" in err
