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
            network = describe(config)
            rows[trial.row] = [
                trial.label,
                config.model.name,
                config.model.get("backbone", {}).get("name", "own encoder"),
                f"{network.parameters:,}",
                f"{network.flops / 2e9:.3f}",
                f"{network.xla_flops / 1e9:.3f}",
                "x".join(map(str, network.size)),
            ]
    headers = ["label", "architecture", "backbone", "parameters", "GMAC", "XLA GFLOP", "at"]
    align = ("left", "left", "left", "right", "right", "right", "right")
    print(tabulate(rows.values(), headers, disable_numparse=True, colalign=align))
    print(
        "GMAC: multiply-adds of learned kernels, as papers count them. XLA GFLOP: every operation "
        "of a forward pass by XLA's cost analysis."
    )
    return 0
