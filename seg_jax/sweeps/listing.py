"""The trials of a plan as a plain table, for `launch.py list`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from seg_jax.sweeps.lock import lock_holder
from seg_jax.sweeps.plan import Plan, Trial, compact, flatten
from seg_jax.sweeps.published import published_column
from seg_jax.sweeps.status import State, read_status

_OWN_COLUMNS = ("label", "seed", "paper")
_ABSENT = "-"


def format_trials(plan: Plan, workdir: Path | None = None) -> str:
    """Returns a table of uid, label, seed, the fields that vary, published figures, the state.

    A varying section is written as its name, with those of its fields that tell sections of
    that name apart.

    Args:
        plan: the trials.
        workdir: folder of the sweep, whose trials' states are shown; None for a sweep that was
            not started.
    """
    fields = _varying_fields(plan.trials)
    columns = [_column([_value(trial.config, field) for trial in plan.trials]) for field in fields]
    published = published_column([trial.config.get("paper", {}) for trial in plan.trials])
    if published:
        fields.append(published[0])
        columns.append(published[1])
    header = ["uid", "label", "seed", *fields] + (["state"] if workdir else [])
    rows = []
    for index, trial in enumerate(plan.trials):
        seed = _ABSENT if trial.seed is None else str(trial.seed)
        row = [trial.uid, trial.label, seed, *(column[index] for column in columns)]
        rows.append([*row, trial_state(workdir, trial)] if workdir else row)
    # A uid such as 12345e6789 is no number.
    return tabulate(rows, header, tablefmt="simple", disable_numparse=True)


def format_missing(missing: Mapping[str, str]) -> str:
    """Returns the rows of a paper's table that are no trials, a line each with the reason."""
    return "\n".join(f"no trial: {row}: {reason}" for row, reason in missing.items())


def trial_state(workdir: Path, trial: Trial) -> State:
    """Returns the state of a trial; "interrupted" where it says "running" and nobody runs it."""
    directory = workdir / trial.uid
    state = read_status(directory).state
    if state == "running" and lock_holder(workdir) is None and lock_holder(directory) is None:
        return "interrupted"
    return state


def _varying_fields(trials: Sequence[Trial]) -> list[str]:
    fields = list(dict.fromkeys(field for trial in trials for field in trial.overrides))
    varying = []
    for field in fields:
        values = [_value(trial.config, field) for trial in trials]
        own = field.partition(".")[0] in _OWN_COLUMNS
        if not own and any(value != values[0] for value in values):
            varying.append(field)
    return varying


def _value(config: Mapping[str, Any], field: str) -> Any:
    """Returns the value of a dotted field, _ABSENT where the config has no such field."""
    value: Any = config
    for key in field.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return _ABSENT
        value = value[key]
    return value


def _column(values: Sequence[Any]) -> list[str]:
    """Writes the values of one field so that different values look different."""
    names = [compact(value) for value in values]
    texts = []
    for name, value in zip(names, values, strict=True):
        alike = [other for other, n in zip(values, names, strict=True) if n == name]
        if not isinstance(value, Mapping) or all(other == value for other in alike):
            texts.append(name)
            continue
        leaves = [flatten(other) for other in alike if isinstance(other, Mapping)]
        own = flatten(value)
        telling = [key for key in own if any(leaf.get(key, _ABSENT) != own[key] for leaf in leaves)]
        texts.append(f"{name}({', '.join(f'{key}={compact(own[key])}' for key in telling)})")
    return texts
