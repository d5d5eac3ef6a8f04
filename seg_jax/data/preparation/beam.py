"""Writes shards on a cluster, through Apache Beam.

TFDS takes a Beam runner and its options in `tfds.download.DownloadConfig`; so do our builders.
TFDS's own Beam writer would send every image to the machine that sorts it; here a machine is
sent the list of a shard's files and writes that shard, so that images move only from and to
the disk, which all machines share.
"""

import importlib
from collections.abc import Iterator, Sequence
from typing import Any

from seg_jax.data.preparation.shards import Outcome, Shard, write_shard
from seg_jax.files import read_json, write_json

_REMEDY = "install it with `pip install apache-beam`, or leave --beam_runner out"


def download_options(runner: str, options: Sequence[str]) -> dict[str, Any]:
    """Returns the fields of a `tfds.download.DownloadConfig` that name a runner.

    Args:
        runner: name of a runner, such as "DirectRunner"; empty for none.
        options: options of Beam, each as "name=value" or "name".

    Raises:
        RuntimeError: Apache Beam is not installed.
        ValueError: there is no such runner, or there are options without a runner.
    """
    if not runner:
        if options:
            raise ValueError(f"--beam_option={options[0]} has no meaning without --beam_runner.")
        return {}
    _import("apache_beam")
    flags = [f"--{option.removeprefix('--')}" for option in options]
    known = _import("apache_beam.options.pipeline_options").PipelineOptions(flags)
    try:
        made = _import("apache_beam.runners").create_runner(runner)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"--beam_runner={runner} is none that Apache Beam can start here: {error}"
        ) from error
    return {"beam_runner": made, "beam_options": known}


def write_shards(shards: Sequence[Shard], runner: Any, options: Any) -> Iterator[Outcome]:
    """Yields what became of each shard, after all of them are done.

    Args:
        shards: what to write; their folder has to be one that every machine sees.
        runner: a Beam runner.
        options: its PipelineOptions, or None.
    """
    beam = _import("apache_beam")
    with beam.Pipeline(runner=runner, options=options) as pipeline:
        _ = (
            pipeline
            | "Shards" >> beam.Create(list(shards))
            | "Spread" >> beam.Reshuffle()
            | "Write" >> beam.Map(_work)
        )
    for shard in shards:
        note = _note(shard)
        found = read_json(note)
        note.unlink()
        yield Outcome(shard.split, found["num_examples"], tuple(found["faults"]))


def _work(shard: Shard) -> None:
    """Writes a shard, and a note about it: what a function returns stays on its machine."""
    outcome = write_shard(shard)
    faults = list(outcome.faults)
    write_json(_note(shard), {"num_examples": outcome.num_examples, "faults": faults})


def _note(shard: Shard):
    return shard.file.with_suffix(".outcome.json")


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("apache_beam"):
            raise
        raise RuntimeError(f"Apache Beam is not installed; {_REMEDY}.") from error
