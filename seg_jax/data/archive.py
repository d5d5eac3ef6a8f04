"""Downloads and unpacks archives.

TFDS's own extraction needs TensorFlow, and its downloader spends more than three minutes
on finding out that there is no network.
"""

import os
import shutil
import tempfile
import urllib.request
import zipfile
from pathlib import Path

from absl import logging

from seg_jax.data.validate import DataError

TIMEOUT_SECONDS = 30.0
"""How long a server may keep silent."""


def download(url: str, file: Path) -> Path:
    """Downloads a URL to a file, all of it or nothing; does nothing if the file exists.

    Returns:
        `file`.

    Raises:
        OSError: the server cannot be reached, refuses, or ends too early.
    """
    if file.exists():
        return file
    logging.info("Downloading %s", url)
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_name(f"incomplete.{file.name}")
    with (
        urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response,
        open(scratch, "wb") as out,
    ):
        shutil.copyfileobj(response, out)
    expected = response.headers["Content-Length"]
    if expected is not None and scratch.stat().st_size != int(expected):
        raise OSError(f"{url} ended after {scratch.stat().st_size} of {expected} bytes")
    os.replace(scratch, file)
    return file


def unpack(archive: Path, folder: Path) -> Path:
    """Unpacks a zip archive into a folder, all of it or nothing; does nothing if it exists.

    Returns:
        `folder`.

    Raises:
        DataError: the archive is damaged, or a member would land outside the folder.
    """
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f"incomplete.{folder.name}.", dir=folder.parent))
    try:
        with zipfile.ZipFile(archive) as members:
            for name in members.namelist():
                if not (scratch / name).resolve().is_relative_to(scratch.resolve()):
                    raise DataError(
                        f"Archive {archive} holds {name!r}, which would be written outside "
                        f"{folder}. Do not use this archive; fetch it from its publisher."
                    )
            members.extractall(scratch)
        os.replace(scratch, folder)
    except zipfile.BadZipFile as error:
        raise DataError(
            f"Archive {archive} is damaged ({error}). Delete it and fetch it again."
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder
