"""Where a publisher's files come from: the folder the user names, archives in it, a download."""

import hashlib
import shutil
from pathlib import Path

import tensorflow_datasets as tfds

from seg_jax.data.preparation.archive import is_archive, stem_of, unpack
from seg_jax.data.preparation.disk import FULL, DiskFullError, megabytes
from seg_jax.data.preparation.download import check, download
from seg_jax.data.preparation.progress import SILENT, Progress
from seg_jax.data.spec import Archive, DatasetSpec


def manual_folder(dl_manager: tfds.download.DownloadManager) -> Path | None:
    """Returns the folder the user named, or None where there is none, or an empty one."""
    try:
        return Path(dl_manager.manual_dir)
    except AssertionError:
        return None


def fetch(spec: DatasetSpec, folder: Path, progress: Progress = SILENT) -> Path:
    """Downloads the files of a dataset, unpacks those that are archives, and keeps all.

    The forms of a family, such as those of COCO, share them.

    Args:
        spec: the dataset.
        folder: where archives are kept.
        progress: is told what happens.

    Returns:
        The folder into which all of its archives were unpacked.

    Raises:
        FileNotFoundError: the dataset cannot be downloaded without an account, or the
            publisher's server cannot be reached.
        DataError: an archive is not the one that was published.
    """
    if not spec.archives:
        raise FileNotFoundError(
            f"Dataset {spec.name!r} cannot be downloaded without an account. Get it from "
            f"{spec.homepage} and name its folder by --manual_dir."
        )
    root = folder / spec.name.partition("/")[0]
    targets = {archive: root / stem_of(archive.file) for archive in spec.archives}
    rest = [archive for archive, target in targets.items() if not target.exists()]
    absent = [archive for archive in rest if not (folder / archive.file).exists()]
    if absent:
        _say_sizes(spec, absent, folder, progress)
    for archive in rest:
        file = _get(spec, archive, folder, progress)
        if is_archive(file):
            unpack(file, targets[archive], progress=progress)
        else:
            _place(file, targets[archive])
    return root


def unpack_found(
    spec: DatasetSpec, manual_dir: Path, folder: Path, progress: Progress = SILENT
) -> Path | None:
    """Unpacks the archives that lie in the folder that the user named.

    Args:
        spec: the dataset; of the archives it names, if any of them is there, else of all.
        manual_dir: the folder.
        folder: where to; what was unpacked from the same files before is taken as it is.
        progress: is told what happens.

    Returns:
        The folder into which all of them were unpacked; None where there are none.

    Raises:
        DataError: an archive is damaged or malicious, or not the one that was published.
    """
    files = sorted(path for path in manual_dir.iterdir() if is_archive(path))
    known = {archive.file: archive for archive in spec.archives}
    files = [file for file in files if file.name in known] or files
    if not files:
        return None
    states = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    root = folder / hashlib.sha256(repr(states).encode()).hexdigest()[:16]
    for file in files:
        target = root / stem_of(file.name)
        if file.name in known and not target.exists():
            check(known[file.name], file)
        unpack(file, target, progress=progress)
    return root


def _place(file: Path, target: Path) -> None:
    """Copies a file that is no archive, such as a list of ids, all of it or nothing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f"incomplete.{target.name}")
    shutil.copy(file, scratch)
    scratch.replace(target)


def _get(spec: DatasetSpec, archive: Archive, folder: Path, progress: Progress) -> Path:
    existed = (folder / archive.file).exists()
    try:
        file = download(archive, folder, progress=progress)
    except OSError as error:
        if isinstance(error, DiskFullError) or error.errno in FULL:
            raise
        raise FileNotFoundError(
            f"Dataset {spec.name!r} could not be downloaded from {archive.url} ({error}). "
            "Give the same command again to continue, or fetch and unpack it by other means and "
            "name its folder by --manual_dir."
        ) from error
    if existed:
        check(archive, file)
    return file


def _say_sizes(
    spec: DatasetSpec, archives: list[Archive], folder: Path, progress: Progress
) -> None:
    known = sum(archive.bytes for archive in archives)
    unknown = [archive.file for archive in archives if not archive.bytes]
    size = f"{megabytes(known)} in " if known else ""
    unsaid = f" (size of {', '.join(unknown)} not known before)" if unknown else ""
    progress.say(f"{spec.name}: downloads {size}{len(archives)} archives{unsaid} into {folder}.")
