"""Reading a sweep's folder: grouping by seed, and every way in which a trial can be broken."""

import json
import statistics

import pytest

from seg_jax.report.collect import read_sweep, unique_labels
from seg_jax.sweeps.plan import PlanError, Trial
from seg_jax.sweeps.status import Status, write_status


def test_seeds_become_one_row_with_their_mean_and_std(make_sweep, toy):
    (comparison,) = read_sweep(make_sweep(seeds=3)).comparisons
    assert [c.label for c in comparison.configurations] == list(toy.labels)
    for c in comparison.configurations:
        scores = [toy.miou(c.label, seed) for seed in range(3)]
        assert c.metric("miou").mean == pytest.approx(statistics.mean(scores), rel=1e-12)
        assert c.metric("miou").std == pytest.approx(statistics.stdev(scores), rel=1e-9)


def test_a_class_counts_over_the_seeds_that_have_it(make_sweep, toy):
    (comparison,) = read_sweep(make_sweep(seeds=3)).comparisons
    c = comparison.configurations[0]
    scores = [toy.miou(c.label, seed) - 0.1 for seed in (1, 2)]
    assert c.class_iou(toy.classes[2]).mean == pytest.approx(statistics.mean(scores))
    assert c.class_iou("never") is None


def test_widths_and_levels_are_ordered_as_numbers(make_sweep):
    (comparison,) = read_sweep(make_sweep(seeds=1)).comparisons
    assert comparison.boundary_widths == (2, 4, 16)
    assert comparison.probes[0].levels == (6, 12, 24)
    assert comparison.configurations[0].probe_miou("size", 24) is None


def test_a_damaged_result_costs_only_its_own_trial(make_sweep, folder_of, toy):
    workdir = make_sweep()
    damages = {
        "fcn8s": b'{"metrics": {"miou": 0.5',
        toy.labels[1]: b"\xff\xfe\x00",
        "deeplab_v3": json.dumps({"metrics": {"miou": 0.9}, "probes": [{"factor": "x"}]}).encode(),
    }
    for label, content in damages.items():
        (folder_of(workdir, label, 1) / "result.json").write_bytes(content)
    sweep = read_sweep(workdir)
    broken = [trial for trial in sweep.trials if trial.state == "unreadable"]
    assert [(trial.label, trial.seed) for trial in broken] == [(n, 1) for n in toy.labels]
    assert all("result.json" in t.error and "\n" not in t.error for t in broken)
    assert all(str(workdir) not in t.error for t in broken)
    for c in sweep.comparisons[0].configurations:
        assert c.metric("miou").values == (toy.miou(c.label, 0),)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("metrics", {}),
        ("metrics", {"miou": 0.5, "iou_per_class": [0.1]}),
        ("boundary_miou", {"wide": 0.5}),
        ("palette", [[0, 0, 300]]),
        ("classes", "road"),
        ("probes", [{"factor": "size", "levels": [1, 2], "miou": [0.5]}]),
        ("hardware", "a GPU"),
    ],
)
def test_a_result_of_the_wrong_shape_is_unreadable(make_sweep, folder_of, part, value):
    workdir = make_sweep(labels=("fcn8s",), seeds=1)
    path = folder_of(workdir, "fcn8s", 0) / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {part: value}))
    (trial,) = read_sweep(workdir).trials
    assert trial.state == "unreadable"
    assert part in trial.error


def test_failed_and_unfinished_trials_keep_their_state_and_last_error_line(make_sweep, folder_of):
    workdir = make_sweep()
    failed, missing, pending = (
        folder_of(workdir, "fcn8s", 0),
        folder_of(workdir, "fcn8s", 1),
        folder_of(workdir, "deeplab_v3", 1),
    )
    for folder in (failed, missing, pending):
        (folder / "result.json").unlink()
    trace = "Traceback\n  File x\nValueError: no such class\n\n"
    write_status(failed, Status(state="failed", step=7, error=trace))
    (pending / "status.json").unlink()
    by_folder = {trial.folder: trial for trial in read_sweep(workdir).trials}
    assert by_folder[failed].state == "failed"
    assert by_folder[failed].error == "ValueError: no such class"
    assert by_folder[failed].num_steps == 40
    assert by_folder[missing].state == "unreadable"
    assert by_folder[pending].state == "pending"


def test_datasets_are_never_compared_with_each_other(make_sweep, folder_of):
    workdir = make_sweep()
    for seed in range(2):
        path = folder_of(workdir, "fcn8s", seed) / "result.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"dataset": "voc"}))
    comparisons = read_sweep(workdir).comparisons
    assert [(c.dataset, len(c.configurations)) for c in comparisons] == [("voc", 1), ("scenes", 2)]


def test_configurations_that_share_a_label_are_told_apart_by_what_differs():
    configs = [{"label": "unet", "seed": 0, "model": {"width": w, "depth": 3}} for w in (8, 16)]
    trials = [Trial("u", "unet", {}, config) for config in configs]
    assert unique_labels(trials) == ["unet (width=8)", "unet (width=16)"]
    assert unique_labels(trials[:1]) == ["unet"]


def test_a_folder_without_a_plan_is_refused(tmp_path):
    with pytest.raises(PlanError, match="--workdir"):
        read_sweep(tmp_path)


def test_a_zero_speed_is_not_a_measurement(make_sweep, folder_of):
    workdir = make_sweep(labels=("fcn8s",), seeds=1)
    path = folder_of(workdir, "fcn8s", 0) / "result.json"
    changed = json.loads(path.read_text()) | {"inference_images_per_second": 0.0}
    path.write_text(json.dumps(changed))
    (comparison,) = read_sweep(workdir).comparisons
    assert comparison.configurations[0].number("inference_images_per_second") is None
