"""Prints the networks of an experiment: parameters and FLOPs, without training them."""

import argparse
from collections.abc import Sequence

from seg_jax.commands import options as shared
from seg_jax.config import from_dict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    shared.add_config(parser)


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Runs the verb."""
    from tabulate import tabulate

    from seg_jax.assemble import describe
    from seg_jax.validate import validate

    rows = {}
    for trial in shared.plan(shared.load(options.config, overrides)).trials:
        if trial.row not in rows:
            config = from_dict(trial.config)
            validate(config)
            parameters, flops, size = describe(config)
            rows[trial.row] = [
                trial.label,
                config.model.name,
                config.model.get("backbone", {}).get("name", "own encoder"),
                f"{parameters / 1e6:.3f}",
                f"{flops / 1e9:.3f}",
                "x".join(map(str, size)),
            ]
    headers = ["label", "architecture", "backbone", "parameters (M)", "GFLOPs", "at"]
    print(tabulate(rows.values(), headers))
    return 0
