import json
import math
import subprocess
import sys

import pytest

from seg_jax.sweeps.plan import Plan, PlanError, Trial, compact, config_uid, flatten, make_plan

GOLDEN = {
    "experiment": "golden",
    "seed": 3,
    "augment": {"crop_size": (96, 128), "flip": True},
    "schedule": {"base_lr": 1e-4, "power": 0.9},
    "weights": {"name": "", "path": None},
}


def merge(config, change):
    return {**config, **change}


def plan_of(*overrides, config=None) -> Plan:
    return make_plan("test", config or {"label": "net", "seed": 0}, overrides, merge)


def test_uid_is_golden():
    # Folders of runs carry it: if this changes, no sweep that was started can be resumed.
    assert config_uid(GOLDEN) == "c71585e44c"


def test_uid_survives_a_file_and_the_order_of_keys():
    backwards = dict(reversed(json.loads(json.dumps(GOLDEN)).items()))
    assert config_uid(backwards) == config_uid(GOLDEN)


@pytest.mark.parametrize(
    "change",
    [{"seed": 4}, {"augment": {"crop_size": (96, 129), "flip": True}}, {"seed": 3.0}, {"new": 1}],
)
def test_uid_changes_with_every_field(change):
    assert config_uid({**GOLDEN, **change}) != config_uid(GOLDEN)


def test_uid_depends_on_the_trial_and_not_on_its_place():
    forth = plan_of({"seed": 0}, {"seed": 1})
    back = plan_of({"seed": 1}, {"seed": 0})
    assert [t.uid for t in forth.trials] == [t.uid for t in reversed(back.trials)]


def test_trials_hold_json_values():
    (trial,) = plan_of({"rates": (6, 12), "model": {"sizes": [(1, 2)]}}).trials
    assert trial.overrides == {"rates": [6, 12], "model": {"sizes": [[1, 2]]}}
    assert trial.config["rates"] == [6, 12]
    assert trial.config == json.loads(json.dumps(trial.config))


def test_trials_that_differ_only_in_seed_share_a_row():
    first, second, other = plan_of({"seed": 0}, {"seed": 1}, {"seed": 0, "lr": 1}).trials
    assert first.row == second.row != other.row
    assert first.uid != second.uid


def test_label_is_the_configs_else_the_overrides_else_the_experiments():
    labels = [
        t.label
        for t in plan_of(
            {"label": "named"},
            {"model": {"name": "unet", "features": 8}, "rates": (1, 2), "seed": 4},
            {},
            config={"seed": 0},
        ).trials
    ]
    assert labels == ["named", "model=unet, rates=(1, 2)", "test"]


def test_title_names_label_and_seed():
    assert plan_of({"seed": 7}).trials[0].title == "net seed 7"
    assert plan_of({}, config={"label": "net"}).trials[0].title == "net"


def test_the_same_trial_twice_is_refused_by_both_names():
    with pytest.raises(PlanError, match=r"\(seed=0\) and \(seed=0, label=net\); drop one"):
        plan_of({"seed": 0}, {"seed": 1}, {"seed": 0, "label": "net"})


def test_an_empty_sweep_is_refused():
    with pytest.raises(PlanError, match="yields no trial"):
        plan_of()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": {"b": {1}}}, r"config\.a\.b is \{1\} of type set"),
        ({"a": [0, math.nan]}, r"config\.a\[1\] is nan"),
        ({"a": math.inf}, r"config\.a is inf"),
        ({"a": {3: 1}}, r"config\.a has the key 3 of type int"),
    ],
)
def test_values_json_cannot_hold_are_refused_by_field(value, message):
    with pytest.raises(PlanError, match=message):
        config_uid(value)


def test_flatten_and_compact():
    assert flatten({"a": {"b": 1, "c": {"d": [2]}}, "e": {}}) == {"a.b": 1, "a.c.d": [2], "e": {}}
    assert compact({"name": "unet", "features": 8}) == "unet"
    assert compact({"low": 1, "high": [2, 3]}) == "{low=1, high=(2, 3)}"


def test_planning_and_listing_import_no_heavy_package(python_env):
    modules = "plan store listing status lock local progress slots overrides"
    script = f"""
import importlib, sys
for name in {modules.split()}:
    importlib.import_module("seg_jax.sweeps." + name)
print(sorted({{"jax", "flax", "numpy", "tensorflow_datasets", "rich"}} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=python_env, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_corrected_figure_of_a_paper_keeps_the_uid():
    config = {"seed": 0, "paper": {"value": 0.7}}
    assert config_uid(config) == config_uid({**config, "paper": {"value": 0.8}})
    assert config_uid(config) != config_uid({**config, "seed": 1})


def test_trials_that_differ_in_their_evaluation_share_their_training():
    config = {"seed": 0, "label": "a", "dataset": {"name": "voc", "eval_split": "val"}}
    base = Trial("u", "a", {}, config)
    same = {**config, "label": "b", "evaluate": {"flip": True}, "log": {"wandb_project": "p"}}
    same["dataset"] = {"name": "voc", "eval_split": "val_trimap_4"}
    assert Trial("v", "b", {}, same).training == base.training
    for change in ({"seed": 1}, {"dataset": {"name": "camvid", "eval_split": "val"}}):
        assert Trial("w", "a", {}, {**config, **change}).training != base.training
