"""What several verbs share: options, loading an experiment, its plan. Imports no jax."""

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from seg_jax.config import (
    Config,
    ConfigError,
    Experiment,
    apply_overrides,
    load_experiment,
    parse_override,
    to_dict,
)
from seg_jax.files import read_json, write_json
from seg_jax.sweeps.plan import Plan, flatten, make_plan


def add_config(parser: argparse._ActionsContainer, *, required: bool = True) -> None:
    """Adds --config, the experiment."""
    parser.add_argument(
        "--config",
        required=required,
        help="an experiment, such as experiments/quickstart.py, or a trial's config.json; "
        "single fields are set as --config.train.num_steps=100",
    )


def add_workdir(parser: argparse.ArgumentParser, *, help: str) -> None:
    """Adds --workdir, the folder that the verb reads or writes."""
    parser.add_argument("--workdir", required=True, type=Path, help=help)


def load(path: str, arguments: Sequence[str]) -> Experiment:
    """Loads an experiment and sets the fields given on the command line.

    A field that both the command line and the sweep set is the sweep's: its trials differ in it.

    Raises:
        ConfigError: the file, a field or a value is not allowed.
    """
    overrides = dict(parse_override(argument) for argument in arguments)
    experiment = load_experiment(path)
    config = apply_overrides(experiment.config, overrides)
    return dataclasses.replace(experiment, config=config)


def plan(experiment: Experiment) -> Plan:
    """Resolves the trials of an experiment."""
    return make_plan(
        experiment.name,
        experiment.config,
        experiment.overrides,
        lambda config, overrides: to_dict(apply_overrides(config, overrides)),
    )


NEUTRAL = ("dataset.num_workers", "dataset.in_memory", "train.keep_", "log.", "paper.")
"""Beginnings of the config fields that change no bit of a trial: a resume may set them anew."""


def keep_config(workdir: Path, config: Config) -> None:
    """Writes `config.json` into a trial's folder, or refuses to mix two configs in one.

    Fields that are `NEUTRAL` may differ.

    Raises:
        ConfigError: the folder holds a trial of another config.
    """
    path, values = workdir / "config.json", to_dict(config)
    if not path.exists():
        write_json(path, values)
        return
    now, before = flatten(values), flatten(read_json(path))
    changed = [
        name
        for name in sorted(now.keys() | before.keys())
        if now.get(name) != before.get(name) and not name.startswith(NEUTRAL)
    ]
    if changed:
        field = changed[0]
        raise ConfigError(
            f"{workdir} holds a trial with {field}={before.get(field)!r}, not {now.get(field)!r}. "
            f"Use another --workdir, or the config it was started with."
        )


def refuse(arguments: Sequence[str]) -> None:
    """Refuses what no option of the verb has taken.

    Raises:
        ConfigError: something is left.
    """
    if arguments:
        raise ConfigError(f"{arguments[0]!r} is no option of this verb; see its --help.")
