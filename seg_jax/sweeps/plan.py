"""What a sweep runs: trials, each named by a hash of its resolved config."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from seg_jax.sweeps.overrides import Overrides

_UID_DIGITS = 10


class PlanError(ValueError):
    """A sweep that cannot be planned, or a plan that must not be replaced."""


@dataclasses.dataclass(frozen=True)
class Trial:
    """One run of a sweep.

    Attributes:
        uid: name of its folder; depends on what is run, never on its place in the sweep.
        label: what the experiment calls it, the same for every seed of a configuration.
        overrides: what the sweep changed, by dotted config field, as JSON values.
        config: the resolved config, as JSON values.
    """

    uid: str
    label: str
    overrides: dict[str, Any]
    config: dict[str, Any]

    @property
    def seed(self) -> int | None:
        """The seed in its config; None where the config has none."""
        return self.config.get("seed")

    @property
    def row(self) -> str:
        """A hash of the config without its seed: trials that share it share a row of a table."""
        return config_uid({key: value for key, value in self.config.items() if key != "seed"})

    @property
    def training(self) -> str:
        """A hash of what decides the trained weights: trials that share it are trained once."""
        left_out = ("experiment", "label", "evaluate", "log")
        config = {key: value for key, value in self.config.items() if key not in left_out}
        if "dataset" in config:
            dataset = {k: v for k, v in config["dataset"].items() if k != "eval_split"}
            config["dataset"] = dataset
        return config_uid(config)

    @property
    def title(self) -> str:
        """Label and seed, as messages and logs name the trial."""
        return self.label if self.seed is None else f"{self.label} seed {self.seed}"


@dataclasses.dataclass(frozen=True)
class Plan:
    """The trials of one experiment, in the order in which they are started."""

    experiment: str
    trials: tuple[Trial, ...]


def config_uid(config: Mapping[str, Any]) -> str:
    """Returns the uid of a resolved config: ten hex digits of SHA-256 over canonical JSON.

    Keys are sorted and tuples count as lists, so a config keeps its uid through a file. The
    section `paper` does not count: a corrected figure is no reason to train again.

    Raises:
        PlanError: a value has no JSON form; the message names its field.
    """
    values = _json_values({k: v for k, v in config.items() if k != "paper"}, "config")
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_UID_DIGITS]


def make_plan(
    experiment: str,
    config: Any,
    overrides: Iterable[Overrides],
    apply: Callable[[Any, Overrides], Mapping[str, Any]],
) -> Plan:
    """Resolves every trial of a sweep.

    Args:
        experiment: name of the experiment.
        config: the base config, handed to `apply` as it is and not changed by it.
        overrides: what each trial changes, as yielded by the experiment's `sweep()`.
        apply: (config, overrides) -> the resolved config as a plain dict.

    Raises:
        PlanError: there are no trials, two trials are the same, or a value has no JSON form.
    """
    trials: dict[str, Trial] = {}
    for change in overrides:
        change = _json_values(change, "overrides")
        resolved = _json_values(apply(config, change), "config")
        label = resolved.get("label") or _describe(change) or experiment
        trial = Trial(config_uid(resolved), str(label), change, resolved)
        if trial.uid in trials:
            first = _describe(trials[trial.uid].overrides, seed=True) or "no overrides"
            again = _describe(change, seed=True) or "no overrides"
            raise PlanError(
                f"Two trials of {experiment} have the same config {trial.uid}: ({first}) and "
                f"({again}); drop one of them from sweep(), or let their seed differ."
            )
        trials[trial.uid] = trial
    if not trials:
        raise PlanError(f"sweep() of {experiment} yields no trial; let it yield at least {{}}.")
    return Plan(experiment, tuple(trials.values()))


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns the leaves of nested sections by their dotted field."""
    leaves: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            leaves |= flatten(value, f"{prefix}{key}.")
        else:
            leaves[prefix + key] = value
    return leaves


def compact(value: Any) -> str:
    """Writes a value of an override in few characters; a section is written as its name."""
    if isinstance(value, Mapping):
        fields = ", ".join(f"{key}={compact(item)}" for key, item in value.items())
        return str(value["name"]) if "name" in value else f"{{{fields}}}"
    if isinstance(value, list | tuple):
        return f"({', '.join(map(compact, value))})"
    return str(value)


def _describe(overrides: Overrides, *, seed: bool = False) -> str:
    """Writes overrides as "field=value, ..."; the seed only on demand."""
    parts = [f"{key}={compact(value)}" for key, value in overrides.items() if seed or key != "seed"]
    return ", ".join(parts)


def _json_values(value: Any, field: str) -> Any:
    """Returns `value` as JSON would give it back: tuples become lists, mappings become dicts."""
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise PlanError(
                    f"{field} has the key {key!r} of type {type(key).__name__}; "
                    "keys of a config are strings."
                )
        return {key: _json_values(item, f"{field}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_values(item, f"{field}[{index}]") for index, item in enumerate(value)]
    plain = value is None or type(value) in (bool, int, float, str)
    if plain and (not isinstance(value, float) or math.isfinite(value)):
        return value
    raise PlanError(
        f"{field} is {value!r} of type {type(value).__name__}, which JSON cannot hold; use finite "
        "numbers, strings, booleans, None, lists and mappings."
    )
