"""Downloads files: says how large they are, continues where it stopped, checks what came.

TFDS's own downloader needs a listing of checksums in its package and spends more than three
minutes on finding out that there is no network. Ranges: RFC 9110, section 14.
"""

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any

from seg_jax.data.preparation.disk import megabytes, require_space
from seg_jax.data.preparation.lock import exclusive
from seg_jax.data.preparation.progress import SILENT, Progress
from seg_jax.data.spec import Archive
from seg_jax.data.validate import DataError

TIMEOUT_SECONDS = 30.0
"""How long a server may keep silent."""

PAUSES = (1.0, 4.0, 15.0)
"""Seconds before each further try after a fault that may pass."""

_CHUNK = 1 << 20
_PASSING = (408, 429, 500, 502, 503, 504)


class _BrokenOffError(OSError):
    """A transfer ended too early."""


def download(
    archive: Archive,
    folder: Path,
    *,
    progress: Progress = SILENT,
    pauses: tuple[float, ...] = PAUSES,
) -> Path:
    """Downloads a file, all of it or nothing; does nothing if it is there.

    What came before a call was interrupted stays in `incomplete.<file>`, and the next call
    asks the server for the rest.

    Args:
        archive: what to download.
        folder: where to.
        progress: is told what happens.
        pauses: seconds before each further try.

    Returns:
        The file.

    Raises:
        OSError: the server cannot be reached, refuses, or ends too early; or the disk is full.
        DataError: the file has another checksum than its publisher states.
    """
    file = folder / archive.file
    if not file.exists():
        scratch = folder / f"incomplete.{archive.file}"
        with exclusive(folder / f".{archive.file}.lock", f"{file} is being downloaded"):
            _transfer_patiently(archive, scratch, progress, pauses)
            try:
                check(archive, scratch)
            except DataError:
                scratch.unlink()
                raise
            os.replace(scratch, file)
    return file


def check(archive: Archive, file: Path) -> None:
    """Compares a file with the checksum that is stated for it, where one is.

    Raises:
        DataError: they differ.
    """
    for algorithm in ("sha256", "md5"):
        expected = getattr(archive, algorithm).lower()
        if not expected:
            continue
        with file.open("rb") as data:
            found = hashlib.file_digest(data, algorithm).hexdigest()
        if found != expected:
            raise DataError(
                f"{archive.file} from {archive.url} has the {algorithm} {found} where {expected} "
                "is stated: it was damaged on its way, or its publisher has replaced it. Delete "
                f"it if it is still in {file.parent} and give the same command again, or fetch "
                "and unpack it by other means and name its folder by --manual_dir."
            )


def _transfer_patiently(
    archive: Archive, scratch: Path, progress: Progress, pauses: tuple[float, ...]
) -> None:
    for pause in (*pauses, None):
        try:
            _transfer(archive, scratch, progress)
            return
        except (OSError, http.client.HTTPException) as error:
            if pause is None or not _may_pass(error):
                if isinstance(error, http.client.HTTPException):
                    raise _BrokenOffError(f"{archive.url}: {error!r}") from error
                raise
            progress.say(f"{archive.url}: {error or repr(error)}. Trying again in {pause:.0f} s.")
            time.sleep(pause)


def _transfer(archive: Archive, scratch: Path, progress: Progress) -> None:
    """Fetches what `scratch` lacks.

    The beginning is kept only if the server says, by its tag or date, that the file is still
    the same; a server that knows no ranges sends all of it again.
    """
    tag_file = scratch.with_name(f"{scratch.name}.tag")
    have = scratch.stat().st_size if scratch.exists() and tag_file.exists() else 0
    headers = {"User-Agent": "seg_jax"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": tag_file.read_text()}
    try:
        response = urllib.request.urlopen(
            urllib.request.Request(archive.url, headers=headers), timeout=TIMEOUT_SECONDS
        )
    except urllib.error.HTTPError as error:
        if error.code == 416:  # what is there is no beginning of that file: begin anew next time
            scratch.unlink()
            raise _BrokenOffError(f"{archive.url} has changed since it was begun") from error
        raise
    with response:
        if getattr(response, "status", None) != 206:
            have = 0
        length = response.headers["Content-Length"]
        total = have + int(length) if length else archive.bytes
        size = megabytes(total) if total else "unknown size"
        progress.say(
            f"Downloading {archive.file} ({size}) from {archive.url}"
            + (f", continuing after {megabytes(have)}." if have else ".")
        )
        require_space(max(0, total - have), scratch.parent, archive.file)
        progress.start("downloading", total, unit="bytes", done=have)
        _note_tag(response.headers, tag_file)
        with scratch.open("r+b" if have else "wb") as out:
            out.seek(have)
            for chunk in _chunks(response):
                out.write(chunk)
                progress.advance(len(chunk))
    got = scratch.stat().st_size
    if length and got != total:
        raise _BrokenOffError(f"{archive.url} ended after {got} of {total} bytes")
    tag_file.unlink(missing_ok=True)


def _chunks(response: Any) -> Iterator[bytes]:
    while chunk := response.read(_CHUNK):
        yield chunk


def _note_tag(headers: Message, tag_file: Path) -> None:
    """Keeps what identifies this version of the file; a weak tag does not (RFC 9110, 13.1.5)."""
    tag = headers.get("ETag") or ""
    if not tag or tag.startswith("W/"):
        tag = headers.get("Last-Modified") or ""
    if tag:
        tag_file.write_text(tag)
    else:
        tag_file.unlink(missing_ok=True)


def _may_pass(error: Exception) -> bool:
    if isinstance(error, urllib.error.HTTPError):
        return error.code in _PASSING
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    passing = (TimeoutError, ConnectionResetError, _BrokenOffError, http.client.HTTPException)
    return isinstance(reason, passing)
