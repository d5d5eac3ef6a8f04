import os

from seg_jax.sweeps.listing import format_missing, format_trials
from seg_jax.sweeps.plan import make_plan
from seg_jax.sweeps.status import Status, write_status


def plan_of(*overrides):
    base = {"label": "net", "seed": 0, "train": {"num_steps": 100}, "model": {"name": "fcn8s"}}

    def apply(config, change):
        result = {**config, "train": dict(config["train"])}
        for field, value in change.items():
            if field == "train.num_steps":
                result["train"]["num_steps"] = value
            else:
                result[field] = value
        return result

    return make_plan("exp", base, overrides, apply)


def cells(text):
    """The words of header and rows, without the rule between them."""
    header, _, *rows = text.splitlines()
    return [line.split() for line in (header, *rows)]


def test_shows_what_varies_and_nothing_else():
    plan = plan_of(
        {"label": "a", "seed": 0, "same": 1, "model": {"name": "unet", "features": 8}},
        {"label": "b", "seed": 1, "same": 1, "train.num_steps": 50},
    )
    first, second = plan.trials
    assert cells(format_trials(plan)) == [
        ["uid", "label", "seed", "model", "train.num_steps"],
        [first.uid, "a", "0", "unet", "100"],
        [second.uid, "b", "1", "fcn8s", "50"],
    ]


def test_sections_of_one_name_show_the_fields_that_tell_them_apart():
    sections = [{"name": "unet", "features": f, "depth": 4} for f in (8, 16)]
    text = format_trials(plan_of(*({"model": section} for section in sections)))
    assert "unet(features=8)" in text
    assert "unet(features=16)" in text
    assert "depth" not in text


PAPER = {"metric": "miou", "value": 0.7721, "tolerance": 0.01, "further": {}}


def test_a_papers_section_is_one_column_with_the_figure_as_printed():
    worse = {**PAPER, "value": 0.745}
    plan = plan_of({"label": "a", "paper": PAPER}, {"label": "b", "paper": worse}, {"label": "c"})
    assert [line.split()[2:] for line in format_trials(plan).splitlines() if "--" not in line] == [
        ["seed", "published", "miou"],
        ["0", "77.21"],
        ["0", "74.5"],
        ["0", "-"],
    ]


def test_published_metrics_are_named_where_they_differ():
    warping = {**PAPER, "metric": "warping_error", "value": 0.000353}
    plan = plan_of({"label": "a", "paper": PAPER}, {"label": "b", "paper": warping}, {"label": "c"})
    text = format_trials(plan)
    assert "miou 77.21" in text
    assert "warping_error 0.000353" in text
    assert text.splitlines()[-1].endswith("-")


def test_rows_that_are_no_trials_are_listed_with_their_reasons():
    assert format_missing({"JFT (86.9)": "the images are not public"}) == (
        "no trial: JFT (86.9): the images are not public"
    )


def test_a_uid_that_looks_like_a_number_stays_as_it_is(make_trial):
    from seg_jax.sweeps.plan import Plan, Trial

    text = format_trials(Plan("exp", (Trial("12345e6789", "007", {}, {}),)))
    assert cells(text)[1] == ["12345e6789", "007", "-"]


def test_states_come_from_the_workdir(tmp_path):
    plan = plan_of({"seed": 0}, {"seed": 1}, {"seed": 2})
    for trial, state in zip(plan.trials, ("done", "running"), strict=False):
        (tmp_path / trial.uid).mkdir()
        write_status(tmp_path / trial.uid, Status(state=state))
    states = [row[-1] for row in cells(format_trials(plan, tmp_path))]
    assert states == ["state", "done", "interrupted", "pending"]  # nobody runs the second


def test_running_is_believed_while_somebody_holds_the_lock(tmp_path):
    from seg_jax.sweeps.lock import workdir_lock

    plan = plan_of({"seed": 1})
    folder = tmp_path / plan.trials[0].uid
    folder.mkdir()
    write_status(folder, Status(state="running"))
    with workdir_lock(folder):
        assert cells(format_trials(plan, tmp_path))[1][-1] == "running"
    assert os.listdir(tmp_path) == [folder.name]  # looking leaves no trace
