"""Prints the trials of an experiment or of a sweep with what became of them, or all datasets."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from seg_jax.commands import options as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    what = parser.add_mutually_exclusive_group(required=True)
    shared.add_config(what, required=False)
    what.add_argument("--datasets", action="store_true", help="every dataset, as docs/datasets.md")
    parser.add_argument("--workdir", type=Path, help="a sweep's folder, to show each trial's state")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Runs the verb; never imports jax, so it answers at once."""
    if options.datasets:
        from seg_jax.data.overview import overview

        shared.refuse(overrides)
        print(overview(), end="")
        return 0
    from seg_jax.sweeps.listing import format_missing, format_trials

    experiment = shared.load(options.config, overrides)
    title = experiment.description.partition("\n")[0]
    table = format_trials(shared.plan(experiment), options.workdir)
    print("\n\n".join(filter(None, (title, table, format_missing(experiment.missing)))))
    return 0
