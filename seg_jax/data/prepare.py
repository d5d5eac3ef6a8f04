"""Builds a dataset on disk, once: what `python launch.py prepare` does."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import tensorflow_datasets as tfds
from absl import logging

from seg_jax.data.source import builder_class, resolve_data_dir


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What lies on disk after `prepare`.

    Attributes:
        name: the dataset.
        path: its folder.
        splits: split name -> number of examples.
        missing: splits of the spec whose files were not there.
        built: False where an earlier call had built it and nothing was done.
    """

    name: str
    path: Path
    splits: Mapping[str, int]
    missing: tuple[str, ...]
    built: bool


def prepare(name: str, *, data_dir: str | Path = "", manual_dir: str | Path = "") -> Prepared:
    """Downloads or finds the files of a dataset, validates every example and writes them.

    Does nothing where that has been done. Writes into a temporary folder that is renamed at
    the end: an interrupted call leaves no half dataset behind.

    Args:
        name: key of `DATASETS`.
        data_dir: see `source.resolve_data_dir`.
        manual_dir: folder with the files as their publisher lays them out; empty downloads
            them, where the licence allows it.

    Raises:
        UnknownNameError: there is no such dataset.
        FileNotFoundError: the files are not where they should be.
        DataError: an example is faulty.
    """
    cls = builder_class(name)
    if manual_dir:
        _check_manual_dir(Path(manual_dir).expanduser(), cls.MANUAL_DOWNLOAD_INSTRUCTIONS)
    builder = cls(data_dir=resolve_data_dir(data_dir))
    built = not Path(builder.data_dir).exists()
    if built:
        config = tfds.download.DownloadConfig(
            manual_dir=Path(manual_dir).expanduser() if manual_dir else None,
            try_download_gcs=False,
        )
        builder.download_and_prepare(download_config=config)
    counts = {split: info.num_examples for split, info in builder.info.splits.items()}
    for split, count in counts.items():
        expected = cls.SPEC.splits.get(split)
        if count != expected:
            logging.warning(
                "Split %r of %s holds %d examples where its authors state %s: scores on it are "
                "not comparable with published ones. Complete the files, delete %s and prepare "
                "again.",
                split,
                name,
                count,
                expected,
                builder.data_dir,
            )
    return Prepared(
        name=name,
        path=Path(builder.data_dir),
        splits=counts,
        missing=tuple(split for split in cls.SPEC.splits if split not in counts),
        built=built,
    )


def _check_manual_dir(folder: Path, wanted: str | None) -> None:
    """Refuses a folder that is not there or holds nothing, which TFDS would pass over."""
    if not folder.is_dir() or not any(folder.iterdir()):
        fault = "is empty" if folder.is_dir() else "is not a folder"
        raise FileNotFoundError(
            f"--manual_dir={folder} {fault}. Put there: {wanted or 'the files as published.'}"
        )
