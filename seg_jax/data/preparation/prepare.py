"""Builds a dataset on disk, once: what `python launch.py prepare` does."""

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds
from absl import logging

from seg_jax.data.builder import FilesBuilder
from seg_jax.data.catalogue import builder_class, resolve_data_dir
from seg_jax.data.manifest import Manifest, make_manifest, read_manifest, write_manifest
from seg_jax.data.preparation import beam
from seg_jax.data.preparation.disk import explaining
from seg_jax.data.preparation.lock import exclusive
from seg_jax.data.preparation.progress import SILENT, Progress
from seg_jax.data.preparation.writing import Writing
from seg_jax.data.source import read_records
from seg_jax.data.spec import DatasetSpec
from seg_jax.files import JSONFileError


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What lies on disk after `prepare`.

    Attributes:
        name: the dataset.
        path: its folder.
        splits: split name -> number of examples.
        published: split name -> number its authors state, 0 where they do not.
        missing: splits of the spec whose files were not there.
        built: False where an earlier call had built it and nothing was done.
        manifests: split name -> what is known about it.
        bytes: split name -> bytes of its records.
    """

    name: str
    path: Path
    splits: Mapping[str, int]
    published: Mapping[str, int]
    missing: tuple[str, ...]
    built: bool
    manifests: Mapping[str, Manifest]
    bytes: Mapping[str, int]


def prepare(
    name: str,
    *,
    data_dir: str | Path = "",
    manual_dir: str | Path = "",
    folder: Mapping[str, Any] | None = None,
    jobs: int | None = None,
    beam_runner: str = "",
    beam_options: Sequence[str] = (),
    progress: Progress = SILENT,
) -> Prepared:
    """Downloads or finds the files of a dataset, checks every example and writes them.

    Does nothing where that has been done. Writes into a scratch folder, reads back what was
    written, and renames the folder at the very end: an interrupted call leaves no half dataset
    behind, and the next one continues where it stopped.

    Args:
        name: key of `DATASETS`.
        data_dir: see `catalogue.resolve_data_dir`.
        manual_dir: folder with the files as their publisher lays them out, or with the archives
            that hold them; empty downloads them, where the licence allows it.
        folder: what the dataset `folder` is, see `datasets.folder`.
        jobs: number of processes; None takes every core where the dataset is large.
        beam_runner: name of an Apache Beam runner that converts instead, on its machines.
        beam_options: options of Beam, each as "name=value".
        progress: is told what happens.

    Raises:
        UnknownNameError: there is no such dataset.
        FileNotFoundError: the files are not where they should be.
        DataError: examples are faulty.
        OSError: the disk is full or cannot be written.
        RuntimeError: another process prepares the same dataset, or one of ours was killed.
    """
    cls = builder_class(name, folder)
    if manual_dir:
        _check_manual_dir(Path(manual_dir).expanduser(), cls.MANUAL_DOWNLOAD_INSTRUCTIONS)
    root = resolve_data_dir(data_dir)
    final = cls(data_dir=root)
    path = Path(final.data_dir)
    config = tfds.download.DownloadConfig(
        manual_dir=Path(manual_dir).expanduser() if manual_dir else None,
        try_download_gcs=False,
        **beam.download_options(beam_runner, beam_options),
    )
    built = False
    if not path.exists() or final.stale():
        scratch = root / "incomplete" / cls.SPEC.name.replace("/", "_")
        lock = scratch.with_name(f"{scratch.name}.lock")
        with explaining(root), exclusive(lock, f"Dataset {name!r} is being prepared in {root}"):
            final = cls(data_dir=root)  # somebody else may have built it just now
            built = not path.exists() or bool(final.stale())
            if built:
                _build(cls, root, scratch, path, config, jobs, progress)
        final = cls(data_dir=root)
    counts = {split: info.num_examples for split, info in final.info.splits.items()}
    _say_wrong_counts(cls.SPEC, counts, path)
    return Prepared(
        name=name,
        path=path,
        splits=counts,
        published=cls.SPEC.splits,
        missing=tuple(split for split in cls.SPEC.splits if split not in counts),
        built=built,
        manifests={split: _manifest(name, path, split) for split in counts},
        bytes={split: int(info.num_bytes) for split, info in final.info.splits.items()},
    )


def _build(
    cls: type,
    root: Path,
    scratch: Path,
    path: Path,
    config: tfds.download.DownloadConfig,
    jobs: int | None,
    progress: Progress,
) -> None:
    """Writes a dataset to scratch, reads it back, and renames it to `path`."""
    builder = cls(data_dir=scratch / "written")
    shutil.rmtree(scratch / "written", ignore_errors=True)
    if isinstance(builder, FilesBuilder):
        builder.writing = Writing(scratch, path, jobs, progress)
    with _no_bars_of_tfds():
        builder.download_and_prepare(download_config=config, download_dir=str(root / "downloads"))
    written = Path(builder.data_dir)
    infos = builder.info.splits
    progress.start("verifying", sum(info.num_examples for info in infos.values()), unit="examples")
    for split in infos:
        records = read_records(builder, split)
        manifest = make_manifest(records, cls.SPEC, split, on_example=lambda: progress.advance(1))
        write_manifest(written, split, manifest)
    _reach_the_disk(written)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():  # stale
        path.replace(scratch / "stale")
    written.replace(path)
    shutil.rmtree(scratch)


@contextlib.contextmanager
def _no_bars_of_tfds() -> Iterator[None]:
    tfds.disable_progress_bar()
    try:
        yield
    finally:
        tfds.enable_progress_bar()


def _reach_the_disk(folder: Path) -> None:
    """Waits until the files of a folder are on disk, before its name says that they are."""
    for file in (*folder.iterdir(), folder):
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _manifest(name: str, path: Path, split: str) -> Manifest:
    try:
        return read_manifest(path, split)
    except (FileNotFoundError, JSONFileError) as error:
        raise FileNotFoundError(
            f"{path} does not hold all of dataset {name!r} ({error}). Delete this folder and "
            "give the same command again."
        ) from error


def _say_wrong_counts(spec: DatasetSpec, counts: Mapping[str, int], path: Path) -> None:
    for split, count in counts.items():
        expected = spec.splits.get(split)
        if expected and count != expected:
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
