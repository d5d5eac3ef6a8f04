"""Looks at the splits of a dataset in the form it is in: prepared, made on demand, or files."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seg_jax.data.builder import FilesBuilder
from seg_jax.data.catalogue import builder_class, resolve_data_dir
from seg_jax.data.datasets.folder import Folder, root_of
from seg_jax.data.doctor.examined import Examined
from seg_jax.data.doctor.files import examine_files
from seg_jax.data.doctor.finding import Finding
from seg_jax.data.doctor.prepared import examine_prepared, stored_splits
from seg_jax.data.preparation.progress import SILENT, Progress
from seg_jax.doctor.diagnosis import Form


@dataclasses.dataclass(frozen=True)
class Where:
    """Which dataset to look at, and in what form.

    Attributes:
        name: key of `DATASETS`.
        data_dir: see `catalogue.resolve_data_dir`.
        manual_dir: folder with the files, to look at them before they are prepared; else empty.
        folder: what the dataset `folder` is, see `datasets.folder`.
        decode: see `examine_prepared`.
    """

    name: str
    data_dir: str = ""
    manual_dir: str = ""
    folder: Mapping[str, Any] | None = None
    decode: bool | None = None

    @property
    def builder(self) -> type:
        """The builder of the dataset."""
        return builder_class(self.name, self.folder)


@dataclasses.dataclass(frozen=True)
class Looked:
    """What was looked at, and what there is to say about the whole of it.

    Attributes:
        form: the form of the dataset.
        place: its folder, empty for what is made on demand.
        examined: its splits by name; empty where they could not be told.
        findings: why they could not be told, or why files were looked at.
    """

    form: Form
    place: str
    examined: Mapping[str, Examined]
    findings: tuple[Finding, ...] = ()


def look(where: Where, splits: Sequence[str], progress: Progress = SILENT) -> Looked:
    """Looks at splits of a dataset.

    Args:
        where: the dataset.
        splits: which; empty for all stored ones that are there, probes left out.
        progress: told what is looked at.

    Raises:
        UnknownNameError: there is no such dataset or split.
        FileNotFoundError: the dataset or a split is not there.
        ValueError: the dataset has no files, or knows itself where they are.
    """
    cls = where.builder
    own, reason = _own_files(cls, where.data_dir)
    if where.manual_dir and issubclass(cls, Folder):
        raise ValueError("--manual_dir has no meaning here: config.dataset.folder.path says where.")
    if where.manual_dir or own is not None:
        root = own or Path(where.manual_dir).expanduser()
        findings = (Finding("warning", "changed files", "", reason),) if reason else ()
        return _look_at_files(cls, root, where.data_dir, splits, findings, progress)
    examined = examine_prepared(
        where.name,
        splits or stored_splits(cls, where.data_dir),
        data_dir=where.data_dir,
        folder=where.folder,
        decode=where.decode,
        progress=progress,
    )
    if is_on_demand(cls):
        return Looked("made on demand", "", examined)
    return Looked("prepared", str(_prepared(cls, where.data_dir)), examined)


def is_on_demand(cls: type) -> bool:
    """Tells whether a dataset is made on demand and has no files."""
    return cls.virtual_source(next(iter(cls.SPEC.splits))) is not None


def _prepared(cls: type, data_dir: str) -> Path:
    return Path(cls(data_dir=resolve_data_dir(data_dir)).data_dir)


def _own_files(cls: type, data_dir: str) -> tuple[Path | None, str]:
    """Returns where the user's own files are, if they are to be looked at, and why.

    That is where they were not prepared, or changed since.
    """
    if not issubclass(cls, Folder):
        return None, ""
    reason = ""
    if _prepared(cls, data_dir).exists():
        reason = cls(data_dir=resolve_data_dir(data_dir)).stale()
        if not reason:
            return None, ""
    return root_of(cls.DESCRIPTION), reason


def _look_at_files(
    cls: type,
    root: Path,
    data_dir: str,
    splits: Sequence[str],
    findings: tuple[Finding, ...],
    progress: Progress,
) -> Looked:
    if not issubclass(cls, FilesBuilder):
        raise ValueError(
            f"Dataset {cls.SPEC.name!r} is made on demand and has no files; leave --manual_dir out."
        )
    if not root.is_dir():
        raise FileNotFoundError(
            f"{root} is not a folder. Put there: {cls.MANUAL_DOWNLOAD_INSTRUCTIONS}"
        )
    builder = cls(data_dir=resolve_data_dir(data_dir))
    try:
        listed = builder.list_items(root)
    except ValueError as error:  # images and labels do not go together
        fault = Finding("fault", "listing", "", str(error))
        return Looked("files", str(root), {}, (fault, *findings))
    examined = examine_files(cls.SPEC, listed, builder.reader(root), splits, progress=progress)
    return Looked("files", str(root), examined, findings)
