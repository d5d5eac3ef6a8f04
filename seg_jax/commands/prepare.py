"""Builds a dataset: downloads it, or takes the files in --manual_dir, and checks every example.

Says how large it is before it writes. Interrupted at any moment, the same command continues;
once it is done, the same command does nothing.
"""

import argparse
import sys
from collections.abc import Sequence

from seg_jax.commands import options as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--dataset", help="name of the dataset, such as camvid")
    shared.add_config(what, required=False)
    parser.add_argument(
        "--manual_dir",
        default="",
        help="folder with the publisher's files, or with the archives that hold them",
    )
    parser.add_argument(
        "--data_dir",
        default="",
        help="where to write; default config.dataset.data_dir, else $SEG_JAX_DATA, else "
        "~/.cache/seg_jax/datasets",
    )
    parser.add_argument(
        "--jobs", type=int, help="processes; default: every core where the dataset is large"
    )
    parser.add_argument(
        "--beam_runner",
        default="",
        help="convert on a cluster by Apache Beam (pip install apache-beam): DirectRunner, "
        "FlinkRunner, SparkRunner, DataflowRunner; every machine has to see the folders",
    )
    parser.add_argument(
        "--beam_option", action="append", default=[], help="an option of Beam; may be repeated"
    )


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Runs the verb."""
    name, folder, data_dir = options.dataset, None, options.data_dir
    if options.config:
        dataset = shared.load(options.config, overrides).config.dataset
        name, folder = dataset.name, dataset.folder.to_dict()
        data_dir = data_dir or dataset.data_dir
    else:
        shared.refuse(overrides)
    from seg_jax.commands.progress import show_progress
    from seg_jax.data.preparation.prepare import prepare

    with show_progress(sys.stderr) as progress:
        prepared = prepare(
            name,
            data_dir=data_dir,
            manual_dir=options.manual_dir,
            folder=folder,
            jobs=options.jobs,
            beam_runner=options.beam_runner,
            beam_options=options.beam_option,
            progress=progress,
        )
    print(_table(prepared))
    print(f"{prepared.name} {'built in' if prepared.built else 'is already in'} {prepared.path}")
    if prepared.missing:
        print(f"Not there and left out: {', '.join(prepared.missing)}.")
    return 0


def _table(prepared) -> str:
    from tabulate import tabulate

    rows = [
        [
            split,
            f"{count:,}",
            f"{prepared.published[split]:,}" if prepared.published.get(split) else "not stated",
            f"{prepared.bytes[split] / 1e6:.1f}",
            prepared.manifests[split].sha256[:12],
        ]
        for split, count in prepared.splits.items()
    ]
    headers = ("split", "examples", "published", "MB", "sha256")
    align = ("left", "right", "right", "right", "left")
    return tabulate(rows, headers, disable_numparse=True, colalign=align)
