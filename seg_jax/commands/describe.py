"""Prints networks: parameters and FLOPs, without training them or allocating their weights."""

import argparse
from collections.abc import Iterator, Sequence

from seg_jax.commands import options as shared
from seg_jax.config import from_dict

_ALL = "all"
_SIZE = (512, 512)
_NUM_CLASSES = 21
_HEADERS = ("network", "architecture", "backbone", "parameters", "GMAC", "XLA GFLOP", "at")
_ALIGN = ("left", "left", "left", "right", "right", "right", "right")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    networks = parser.add_mutually_exclusive_group(required=True)
    shared.add_config(networks, required=False)
    networks.add_argument(
        "--source",
        help=f"a published network with {_NUM_CLASSES} classes at {_SIZE[0]}x{_SIZE[1]}, such as "
        f"torchvision/fcn_resnet50, or '{_ALL}' of them",
    )


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Runs the verb."""
    from tabulate import tabulate

    if options.source:
        shared.refuse(overrides)
        rows = _published(options.source)
    else:
        rows = _of_experiment(options.config, overrides)
    print(tabulate(rows, _HEADERS, disable_numparse=True, colalign=_ALIGN))
    print(
        "GMAC: multiply-adds of learned kernels, as papers count them. XLA GFLOP: every operation "
        "of a forward pass by XLA's cost analysis."
    )
    return 0


def _of_experiment(path: str, overrides: Sequence[str]) -> Iterator[list[str]]:
    from seg_jax.assemble import assemble, describe_task
    from seg_jax.validate import validate

    seen = set()
    for trial in shared.plan(shared.load(path, overrides)).trials:
        if trial.row not in seen:
            seen.add(trial.row)
            config = from_dict(trial.config)
            validate(config)
            yield _row(trial.label, config.model, describe_task(assemble(config)))


def _published(source: str) -> Iterator[list[str]]:
    from seg_jax.describe import describe
    from seg_jax.models.build import build_model
    from seg_jax.registry import resolve
    from seg_jax.weights import REFERENCES

    for name in sorted(REFERENCES) if source == _ALL else [source]:
        reference = resolve(name, REFERENCES, kind="published network", field="--source")
        model = build_model(reference.section, num_classes=_NUM_CLASSES, axis=None)
        yield _row(name, reference.section, describe(model, _SIZE))


def _row(label, section, network) -> list[str]:
    return [
        label,
        section["name"],
        section.get("backbone", {}).get("name", "own encoder"),
        f"{network.parameters:,}",
        f"{network.flops / 2e9:.3f}",
        f"{network.xla_flops / 1e9:.3f}",
        "x".join(map(str, network.size)),
    ]
