"""Reads a sweep's folder: the plan, and per trial its status and result.

A damaged file costs the one trial it belongs to, never the report.
"""

from collections.abc import Sequence
from pathlib import Path

from seg_jax.report.records import Comparison, Configuration, Sweep, Trial
from seg_jax.report.results import DamagedFileError, Result, read_result
from seg_jax.sweeps import plan as plans
from seg_jax.sweeps.status import RESULT_FILE, read_status
from seg_jax.sweeps.store import read_plan

NOT_COMPARED = ("seed", "label")
"""Config fields that name a trial but do not make a configuration."""


def read_sweep(workdir: Path) -> Sweep:
    """Reads everything that a report needs from a sweep's folder.

    Raises:
        PlanError: there is no plan.json, or it is damaged.
    """
    plan = read_plan(workdir)
    trials = tuple(_read_trial(workdir, planned) for planned in plan.trials)
    groups: dict[str, list[int]] = {}
    for place, planned in enumerate(plan.trials):
        compared = {k: v for k, v in planned.config.items() if k not in NOT_COMPARED}
        groups.setdefault(plans.config_uid(compared), []).append(place)
    by_images: dict[tuple[str, str], list[list[int]]] = {}
    for group in groups.values():
        images = _images(plan.trials[group[0]], [trials[place] for place in group])
        by_images.setdefault(images, []).append(group)
    comparisons = []
    for (dataset, split), found in by_images.items():
        labels = unique_labels([plan.trials[group[0]] for group in found])
        configurations = tuple(
            Configuration(label, position, tuple(trials[place] for place in group))
            for position, (label, group) in enumerate(zip(labels, found, strict=True))
        )
        comparisons.append(Comparison(dataset, split, configurations))
    return Sweep(plan.experiment, workdir, trials, tuple(comparisons))


def _read_trial(workdir: Path, planned: plans.Trial) -> Trial:
    folder = workdir / planned.uid
    status = read_status(folder)
    state, error = str(status.state), _one_line(status.error)
    result: Result | None = None
    if (folder / RESULT_FILE).is_file():
        try:
            result, state, error = read_result(folder / RESULT_FILE), "done", ""
        except DamagedFileError as damage:
            state, error = "unreadable", _one_line(str(damage))
    elif state == "done":
        state, error = "unreadable", f"It is done, but its {RESULT_FILE} is missing."
    return Trial(
        uid=planned.uid,
        label=planned.label,
        seed=planned.seed,
        overrides=planned.overrides,
        state=state,
        error=error,
        step=status.step,
        num_steps=status.num_steps or plans.flatten(planned.config).get("train.num_steps"),
        updated=status.updated,
        folder=folder,
        result=result,
    )


def _images(planned: plans.Trial, trials: Sequence[Trial]) -> tuple[str, str]:
    """Dataset and split of a configuration: as evaluated, else as configured."""
    config = plans.flatten(planned.config)
    result = next((trial.result for trial in trials if trial.result is not None), {})
    dataset = result.get("dataset") or config.get("dataset.name") or ""
    return str(dataset), str(result.get("split") or config.get("dataset.eval_split") or "")


def unique_labels(planned: Sequence[plans.Trial]) -> list[str]:
    """Returns one label per configuration; shared ones get the fields in which they differ."""
    labels = []
    for trial in planned:
        mine = plans.flatten(trial.config)
        others = [plans.flatten(t.config) for t in planned if t.label == trial.label]
        differing = [
            f"{field.rpartition('.')[2]}={plans.compact(value)}"
            for field, value in mine.items()
            if field not in NOT_COMPARED and any(o.get(field) != value for o in others)
        ]
        labels.append(f"{trial.label} ({', '.join(differing)})" if differing else trial.label)
    return labels


def _one_line(text: str) -> str:
    """The last line that says something: of a traceback, the one with the error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
