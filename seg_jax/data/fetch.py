"""Where a publisher's files come from: the folder the user names, or a download."""

from pathlib import Path

import tensorflow_datasets as tfds

from seg_jax.data.archive import download, unpack
from seg_jax.data.spec import DatasetSpec


def manual_folder(dl_manager: tfds.download.DownloadManager) -> Path | None:
    """Returns the folder the user named, or None where there is none, or an empty one."""
    try:
        return Path(dl_manager.manual_dir)
    except AssertionError:
        return None


def fetch(spec: DatasetSpec, folder: Path) -> Path:
    """Downloads and unpacks the archives of a dataset, which are kept for next time.

    Args:
        spec: the dataset.
        folder: where archives are kept.

    Returns:
        The folder into which all of its archives were unpacked.

    Raises:
        FileNotFoundError: the dataset cannot be downloaded without an account, or the
            publisher's server cannot be reached.
    """
    if not spec.archives:
        raise FileNotFoundError(
            f"Dataset {spec.name!r} cannot be downloaded without an account. Get it from "
            f"{spec.homepage} and name its folder by --manual_dir."
        )
    root = folder / spec.name.replace("/", "_")
    for archive in spec.archives:
        try:
            file = download(archive.url, folder / archive.file)
        except OSError as error:
            raise FileNotFoundError(
                f"Dataset {spec.name!r} could not be downloaded from {archive.url} ({error}). "
                "Fetch and unpack it by other means and name its folder by --manual_dir."
            ) from error
        unpack(file, root / archive.file.partition(".")[0])
    return root
