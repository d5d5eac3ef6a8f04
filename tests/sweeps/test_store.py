import json

import pytest

from seg_jax.sweeps.plan import PlanError, make_plan
from seg_jax.sweeps.store import read_plan, store_plan

BASE = {"label": "net", "seed": 0, "train": {"num_steps": 100, "crop": (8, 8)}}


def plan_of(*overrides, experiment="exp", base=BASE):
    return make_plan(experiment, base, overrides, lambda config, change: {**config, **change})


def test_a_plan_survives_its_file(tmp_path):
    plan = plan_of({"seed": 0, "rates": (1, 2)}, {"seed": 1})
    assert store_plan(tmp_path, plan) == plan
    assert read_plan(tmp_path) == plan


def test_the_same_plan_again_leaves_the_file_alone(tmp_path):
    plan = store_plan(tmp_path, plan_of({"seed": 0}, {"seed": 1}))
    before = (tmp_path / "plan.json").stat()
    again = store_plan(tmp_path, plan_of({"seed": 1}, {"seed": 0, "label": "net"}))
    assert again == plan  # the stored order and overrides
    after = (tmp_path / "plan.json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_edited_experiment_is_refused_with_the_field_that_changed(tmp_path):
    store_plan(tmp_path, plan_of({"seed": 0}, {"seed": 1}))
    before = (tmp_path / "plan.json").read_bytes()
    edited = {**BASE, "train": {"num_steps": 200, "crop": (8, 8)}}
    with pytest.raises(PlanError) as caught:
        store_plan(tmp_path, plan_of({"seed": 0}, {"seed": 1}, base=edited))
    message = str(caught.value)
    assert "2 new (net seed 0 " in message
    assert "2 gone (net seed 0 " in message
    assert "of net seed 0, train.num_steps was 100 and is 200" in message
    assert "use another --workdir" in message
    assert (tmp_path / "plan.json").read_bytes() == before


def test_the_closest_trials_are_compared(tmp_path):
    store_plan(tmp_path, plan_of({"seed": 0, "lr": 1.0}, {"seed": 9, "lr": 1.0}))
    with pytest.raises(PlanError, match=r"of net seed 9, lr was 1\.0 and is 2\.0"):
        store_plan(tmp_path, plan_of({"seed": 0, "lr": 1.0}, {"seed": 9, "lr": 2.0}))


@pytest.mark.parametrize(
    ("seeds", "message"),
    [((0, 1, 2), r"now: 1 new \(net seed 2 \w{10}\)\. A"), ((0,), r"now: 1 gone \(net seed 1 ")],
)
def test_more_and_fewer_trials_are_refused(tmp_path, seeds, message):
    store_plan(tmp_path, plan_of({"seed": 0}, {"seed": 1}))
    with pytest.raises(PlanError, match=message):
        store_plan(tmp_path, plan_of(*({"seed": seed} for seed in seeds)))


def test_a_field_that_comes_or_goes_is_called_absent(tmp_path):
    store_plan(tmp_path, plan_of({"seed": 0}))
    with pytest.raises(PlanError, match="lr was absent and is 1"):
        store_plan(tmp_path, plan_of({"seed": 0, "lr": 1}))


def test_many_trials_are_not_all_listed(tmp_path):
    store_plan(tmp_path, plan_of({"seed": 0}))
    with pytest.raises(PlanError, match=r"49 new \(.*, 46 more\)"):
        store_plan(tmp_path, plan_of(*({"seed": seed} for seed in range(50))))


def test_another_experiment_is_refused(tmp_path):
    store_plan(tmp_path, plan_of({"seed": 0}))
    with pytest.raises(PlanError, match="plan of experiment 'exp', not of 'other'"):
        store_plan(tmp_path, plan_of({"seed": 0}, experiment="other"))


@pytest.mark.parametrize(
    "content", ["", '{"experiment": "e"}', '{"experiment": "e", "trials": [3]}', "[]", "null"]
)
def test_a_damaged_or_foreign_file_is_refused_and_kept(tmp_path, content):
    path = tmp_path / "plan.json"
    path.write_text(content)
    with pytest.raises(PlanError, match=r"plan\.json .*; restore the file, or start the sweep"):
        store_plan(tmp_path, plan_of({}))
    assert path.read_text() == content


def test_a_plan_edited_by_hand_is_refused(tmp_path):
    plan = store_plan(tmp_path, plan_of({"seed": 0}))
    values = json.loads((tmp_path / "plan.json").read_text())
    values["trials"][0]["config"]["train"]["num_steps"] = 7
    (tmp_path / "plan.json").write_text(json.dumps(values))
    with pytest.raises(PlanError, match=f"trial {plan.trials[0].uid} was changed after the fact"):
        read_plan(tmp_path)


def test_a_folder_without_a_plan_is_no_sweep(tmp_path):
    with pytest.raises(PlanError, match="has to be the folder of a sweep"):
        read_plan(tmp_path)
