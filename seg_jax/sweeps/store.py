"""`plan.json`: written once per workdir, compared ever after."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seg_jax.files import JSONFileError, read_json, write_json
from seg_jax.sweeps.plan import Plan, PlanError, Trial, config_uid, flatten

PLAN_FILE = "plan.json"
_ABSENT = object()


def store_plan(workdir: Path, plan: Plan) -> Plan:
    """Writes the plan if the workdir has none, else checks that it is the same.

    The same trials in another order are the same plan, and the stored order is kept. Call it
    under `workdir_lock`.

    Returns:
        The plan on disk.

    Raises:
        PlanError: the workdir holds another plan, or a file that is no plan.
    """
    path = workdir / PLAN_FILE
    if not path.exists():
        write_json(path, _to_json(plan))
        return plan
    stored = read_plan(workdir)
    if stored.experiment != plan.experiment:
        raise PlanError(
            f"{path} is the plan of experiment {stored.experiment!r}, not of "
            f"{plan.experiment!r}; give this experiment a --workdir of its own."
        )
    if {trial.uid for trial in stored.trials} != {trial.uid for trial in plan.trials}:
        raise PlanError(
            f"{path} holds other trials than {plan.experiment} has now: "
            f"{_difference(stored.trials, plan.trials)}. A plan is never changed, so that its "
            "results stay comparable: use another --workdir, or undo the change."
        )
    return stored


def read_plan(workdir: Path) -> Plan:
    """Reads the plan of a sweep.

    Raises:
        PlanError: there is none, or the file is damaged, edited or something else.
    """
    path = workdir / PLAN_FILE
    try:
        return _from_json(read_json(path))
    except FileNotFoundError as error:
        raise PlanError(
            f"{path} does not exist; --workdir has to be the folder of a sweep that was started."
        ) from error
    except JSONFileError as error:
        reason = str(error)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"{path} is not a plan of trials ({type(error).__name__}: {error})"
    raise PlanError(f"{reason}; restore the file, or start the sweep again with another --workdir.")


def _to_json(plan: Plan) -> dict[str, Any]:
    trials = [
        {"uid": t.uid, "label": t.label, "overrides": t.overrides, "config": t.config}
        for t in plan.trials
    ]
    return {"experiment": plan.experiment, "trials": trials}


def _from_json(values: dict[str, Any]) -> Plan:
    trials = []
    for item in values["trials"]:
        trial = Trial(item["uid"], item["label"], dict(item["overrides"]), dict(item["config"]))
        if config_uid(trial.config) != trial.uid:
            raise ValueError(f"the config of trial {trial.uid} was changed after the fact")
        trials.append(trial)
    return Plan(values["experiment"], tuple(trials))


def _difference(stored: Sequence[Trial], now: Sequence[Trial]) -> str:
    """Says which trials came and went, and one field that shows why."""
    stored_uids, uids = {t.uid for t in stored}, {t.uid for t in now}
    new = [t for t in now if t.uid not in stored_uids]
    gone = [t for t in stored if t.uid not in uids]
    said = [f"{len(t)} {word} ({_titles(t)})" for t, word in ((new, "new"), (gone, "gone")) if t]
    if new and gone:
        # The closest pair is the likeliest edit of one trial into the other.
        _, _, fields, old, trial = min(
            (len(fields), place, fields, old, trial)
            for place, (old, trial, fields) in enumerate(
                (old, trial, _changed(old, trial)) for old in gone for trial in new
            )
        )
        before, after = (_leaf(t, fields[0]) for t in (old, trial))
        said.append(f"of {trial.title}, {fields[0]} was {before} and is {after}")
    return "; ".join(said)


def _titles(trials: Sequence[Trial], limit: int = 3) -> str:
    names = [f"{trial.title} {trial.uid}" for trial in trials[:limit]]
    more = len(trials) - limit
    return ", ".join([*names, f"{more} more"] if more > 0 else names)


def _changed(old: Trial, new: Trial) -> list[str]:
    before, after = flatten(old.config), flatten(new.config)
    fields = [*before, *(field for field in after if field not in before)]
    return [f for f in fields if before.get(f, _ABSENT) != after.get(f, _ABSENT)]


def _leaf(trial: Trial, field: str) -> str:
    value = flatten(trial.config).get(field, _ABSENT)
    return "absent" if value is _ABSENT else repr(value)
