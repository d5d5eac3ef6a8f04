"""Builds the tables, plots and index.html of a sweep from the results that are there."""

import argparse
import sys
from collections.abc import Sequence

from seg_jax.commands import options as shared

WIDTH = 160
"""Characters in a line of the table where the output is no terminal, which would have its own."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    shared.add_workdir(parser, help="folder of the sweep")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Runs the verb."""
    shared.refuse(overrides)
    from rich.console import Console

    from seg_jax.report.build import build_report
    from seg_jax.report.collect import read_sweep
    from seg_jax.report.formats import terminal

    page = build_report(options.workdir)
    Console(width=None if sys.stdout.isatty() else WIDTH).print(
        terminal(read_sweep(options.workdir))
    )
    print(f"Report: {page}")
    return 0
