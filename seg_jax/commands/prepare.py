"""Builds a dataset: downloads it, or takes the files in --manual_dir, and checks every example."""

import argparse
from collections.abc import Sequence

from seg_jax.commands import options as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    parser.add_argument("--dataset", required=True, help="name of the dataset, such as camvid")
    parser.add_argument("--manual_dir", default="", help="folder with the publisher's files")
    parser.add_argument("--data_dir", default="", help="where to write; default ~/.cache/seg_jax")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Runs the verb."""
    shared.refuse(overrides)
    from seg_jax.data.prepare import prepare

    prepared = prepare(options.dataset, data_dir=options.data_dir, manual_dir=options.manual_dir)
    counts = ", ".join(f"{split} {count}" for split, count in prepared.splits.items())
    print(
        f"{prepared.name}: {counts} ({'built in' if prepared.built else 'already in'} "
        f"{prepared.path})"
    )
    if prepared.missing:
        print(f"Not there and left out: {', '.join(prepared.missing)}.")
    return 0
