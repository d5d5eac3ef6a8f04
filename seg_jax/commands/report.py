"""Builds the tables, plots and index.html of a sweep from the results that are there."""

import argparse
import sys
from collections.abc import Sequence

from seg_jax.commands import options as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    shared.add_workdir(parser, help="folder of the sweep")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Runs the verb."""
    shared.refuse(overrides)
    from seg_jax.report.build import build_report
    from seg_jax.report.collect import collect
    from seg_jax.report.tables import terminal_table

    page = build_report(options.workdir)
    print(terminal_table(collect(options.workdir), width=shared.width(sys.stdout)))
    print(f"Report: {page}")
    return 0
