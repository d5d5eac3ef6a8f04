"""Converts published weights into one file that `predict` needs nothing else for.

The file says how to build the network, what its input must look like and, where the network
has the 21 classes of PASCAL VOC, their names and colours.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from seg_jax.commands import options as shared
from seg_jax.weights import REFERENCES

NUM_CLASSES = 21
"""Of PASCAL VOC, which most published networks were trained on."""


def add_source(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Adds --source and --num_classes, which say what published weights are."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n  ".join(["published networks, for --source:", *sorted(REFERENCES)])
    parser.add_argument(
        "--source",
        default="",
        required=required,
        help="the published network that the weights belong to, one of those below",
    )
    parser.add_argument(
        "--num_classes",
        type=int,
        default=NUM_CLASSES,
        help="classes of a published network; default %(default)s",
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    add_source(parser, required=True)
    parser.add_argument(
        "--weights",
        type=Path,
        required=True,
        help=".pth, .pt, .safetensors, .npz or .tflite file of the publisher",
    )
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Runs the verb."""
    shared.refuse(overrides)
    from seg_jax.describe import count_parameters
    from seg_jax.predict.network import known_labels, load_published
    from seg_jax.weights.native import source_of, write_network

    # Before the work, and not again after it: only this program writes such files.
    if options.out.exists() and source_of(options.out) != options.source:
        raise FileExistsError(
            f"{str(options.out)!r} exists and was not imported from {options.source!r}. Remove "
            f"it, or set --out to another file."
        )
    loaded = load_published(options.weights, options.source, options.num_classes)
    write_network(options.out, loaded, known_labels(options.num_classes))
    millions = count_parameters(loaded.variables["params"]) / 1e6
    print(
        f"{options.out}: {loaded.source}, {loaded.num_classes} classes, {millions:.1f} M parameters"
    )
    return 0
