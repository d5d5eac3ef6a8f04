"""Builds a dataset on disk, once: what `python launch.py prepare` does."""

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds
from absl import logging

from seg_jax.data.catalogue import builder_class, resolve_data_dir
from seg_jax.data.manifest import make_manifest, write_manifest
from seg_jax.data.source import read_records
from seg_jax.data.spec import DatasetSpec


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


def prepare(
    name: str,
    *,
    data_dir: str | Path = "",
    manual_dir: str | Path = "",
    folder: Mapping[str, Any] | None = None,
) -> Prepared:
    """Downloads or finds the files of a dataset, checks every example and writes them.

    Does nothing where that has been done. Writes into a scratch folder, reads back what was
    written, and renames the folder at the very end: an interrupted call leaves no half dataset
    behind.

    Args:
        name: key of `DATASETS`.
        data_dir: see `catalogue.resolve_data_dir`.
        manual_dir: folder with the files as their publisher lays them out; empty downloads
            them, where the licence allows it.
        folder: what the dataset `folder` is, see `datasets.folder`.

    Raises:
        UnknownNameError: there is no such dataset.
        FileNotFoundError: the files are not where they should be.
        DataError: an example is faulty.
    """
    cls = builder_class(name, folder)
    if manual_dir:
        _check_manual_dir(Path(manual_dir).expanduser(), cls.MANUAL_DOWNLOAD_INSTRUCTIONS)
    root = resolve_data_dir(data_dir)
    final = cls(data_dir=root)
    path = Path(final.data_dir)
    built = not path.exists()
    if built:
        _build(cls, root, path, Path(manual_dir).expanduser() if manual_dir else None)
        final = cls(data_dir=root)
    counts = {split: info.num_examples for split, info in final.info.splits.items()}
    _say_wrong_counts(cls.SPEC, counts, path)
    return Prepared(
        name=name,
        path=path,
        splits=counts,
        missing=tuple(split for split in cls.SPEC.splits if split not in counts),
        built=built,
    )


def _build(cls: type, root: Path, path: Path, manual_dir: Path | None) -> None:
    """Writes a dataset to scratch, reads it back, and renames it to `path`."""
    scratch = root / "incomplete" / cls.SPEC.name.replace("/", "_")
    builder = cls(data_dir=scratch / "written")
    shutil.rmtree(builder.data_dir_root, ignore_errors=True)
    config = tfds.download.DownloadConfig(manual_dir=manual_dir, try_download_gcs=False)
    builder.download_and_prepare(download_config=config, download_dir=str(root / "downloads"))
    written = Path(builder.data_dir)
    for split in builder.info.splits:
        manifest = make_manifest(read_records(builder, split), cls.SPEC, split)
        write_manifest(written, split, manifest)
    path.parent.mkdir(parents=True, exist_ok=True)
    written.replace(path)
    shutil.rmtree(scratch)


def _say_wrong_counts(spec: DatasetSpec, counts: Mapping[str, int], path: Path) -> None:
    for split, count in counts.items():
        expected = spec.splits.get(split)
        if count != expected:
            logging.warning(
                "Split %r of %s holds %d examples where its authors state %s: scores on it are "
                "not comparable with published ones. Complete the files, delete %s and prepare "
                "again.",
                split,
                spec.name,
                count,
                expected,
                path,
            )


def _check_manual_dir(folder: Path, wanted: str | None) -> None:
    """Refuses a folder that is not there or holds nothing, which TFDS would pass over."""
    if not folder.is_dir() or not any(folder.iterdir()):
        fault = "is empty" if folder.is_dir() else "is not a folder"
        raise FileNotFoundError(
            f"--manual_dir={folder} {fault}. Put there: {wanted or 'the files as published.'}"
        )
