"""Examines a dataset, or a config and its dataset, before the first step.

Lists what is wrong and what to do, then counts, sizes and classes, and writes index.html,
contact_sheet.png and diagnosis.json. Exit status: 0 sound, 1 there are faults, 2 refused.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from seg_jax.commands import options as shared
from seg_jax.config import ConfigError, from_dict

OUT = Path("runs/doctor")
WIDTH = 80
"""Characters in a line where the output is no terminal, which would have its own."""

_DECODE = {"auto": None, "all": True, "none": False}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--dataset", default="", help="name of the dataset, such as camvid")
    shared.add_config(what, required=False)
    parser.add_argument("--data_dir", default="", help="folder of the prepared datasets")
    parser.add_argument(
        "--manual_dir", default="", help="look at the publisher's files in this folder instead"
    )
    parser.add_argument(
        "--split", default="", help="only these splits, such as train,val; with --dataset"
    )
    parser.add_argument(
        "--decode",
        choices=_DECODE,
        default="auto",
        help="whether to decode every prepared record; auto: where that takes seconds",
    )
    parser.add_argument("--out", type=Path, help=f"where to write; default {OUT}/NAME")
    parser.add_argument("--json", action="store_true", help="print diagnosis.json and nothing else")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Runs the verb; 1 where a dataset has a fault."""
    if options.config:
        if options.split:
            raise ConfigError(
                "--split is for --dataset; with --config set --config.dataset.train_split or "
                "eval_split."
            )
        diagnoses = _of_config(options, overrides)
    else:
        shared.refuse(overrides)
        diagnoses = [_of_dataset(options)]
    out = options.out or OUT
    for diagnosis in diagnoses:
        name = diagnosis.spec.name.replace("/", "_")
        _hand_over(diagnosis, out if options.out and len(diagnoses) == 1 else out / name, options)
    return 0 if all(diagnosis.sound for diagnosis in diagnoses) else 1


def _of_dataset(options: argparse.Namespace):
    from seg_jax.commands.progress import show_progress
    from seg_jax.doctor.examine import examine_dataset
    from seg_jax.doctor.looking import Where

    where = Where(
        options.dataset, options.data_dir, options.manual_dir, decode=_DECODE[options.decode]
    )
    splits = [split for split in options.split.split(",") if split]
    with show_progress(sys.stderr) as progress:
        return examine_dataset(where, splits, progress)


def _of_config(options: argparse.Namespace, overrides: Sequence[str]) -> list:
    from seg_jax.commands.progress import show_progress
    from seg_jax.doctor.examine import examine_configs
    from seg_jax.doctor.looking import Where
    from seg_jax.validate import validate

    datasets: dict[str, tuple[Where, list]] = {}
    for trial in shared.plan(shared.load(options.config, overrides)).trials:
        config = from_dict(trial.config)
        validate(config)
        dataset = config.dataset
        where = Where(
            dataset.name,
            options.data_dir or dataset.data_dir,
            options.manual_dir,
            dataset.folder.to_dict(),
            _DECODE[options.decode],
        )
        datasets.setdefault(repr(where), (where, []))[1].append(config)
    with show_progress(sys.stderr) as progress:
        return [examine_configs(where, configs, progress) for where, configs in datasets.values()]


def _hand_over(diagnosis, out: Path, options: argparse.Namespace) -> None:
    """Writes the files and prints what is for the terminal."""
    from rich.console import Console

    from seg_jax.doctor.diagnosis import to_record
    from seg_jax.doctor.terminal import to_terminal
    from seg_jax.doctor.write import write_diagnosis

    if options.json:
        print(json.dumps(to_record(diagnosis), indent=2))
    else:
        # Highlighting would colour numbers, which say nothing here.
        console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
        for part in to_terminal(diagnosis):
            console.print(part)
    page = write_diagnosis(diagnosis, out)
    if not options.json:
        print(f"Page: {page}")
