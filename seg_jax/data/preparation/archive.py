"""Unpacks archives of which nothing is trusted.

TFDS's own extraction needs TensorFlow. What an archive may do to who unpacks it: members
outside the folder, links and device files (CVE-2007-4559), and a few kilobytes that become
terabytes.
"""

import lzma
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from seg_jax.data.preparation.disk import DiskFullError, free_bytes, megabytes
from seg_jax.data.preparation.progress import SILENT, Progress
from seg_jax.data.validate import DataError

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
"""Endings of the files that are unpacked."""

MAX_RATIO = 200
"""How often larger an archive may be unpacked, beyond HARMLESS: text and masks reach 20."""

HARMLESS = 1 << 30
"""Bytes that may always come out of an archive, if the disk has room for them."""

_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # a compression that zipfile does not know
)


def is_archive(file: Path) -> bool:
    """Tells by its name whether a file is one that `unpack` takes."""
    return file.name.lower().endswith(SUFFIXES) and file.is_file()


def stem_of(name: str) -> str:
    """Returns the name of an archive without its ending: "a.v1.tar.gz" gives "a.v1"."""
    endings = [suffix for suffix in SUFFIXES if name.lower().endswith(suffix)]
    return name[: -len(max(endings, key=len))] if endings else name


def unpack(archive: Path, folder: Path, *, progress: Progress = SILENT) -> Path:
    """Unpacks an archive into a folder, all of it or nothing; does nothing if it exists.

    Args:
        archive: a file whose name ends in one of SUFFIXES.
        folder: where to.
        progress: is told what happens.

    Returns:
        `folder`.

    Raises:
        DataError: the archive is damaged, or it would write outside the folder, make links
            or devices, or become far larger than an archive does.
        DiskFullError: the disk has no room for it.
    """
    if folder.exists():
        return folder
    scratch = folder.with_name(f"incomplete.{folder.name}")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    progress.say(f"Unpacking {archive}.")
    progress.start("unpacking", 0, unit="bytes")
    guard = _Guard(archive, scratch, folder)
    try:
        if archive.name.lower().endswith(".zip"):
            sizes = _unpack_zip(archive, scratch, guard)
        else:
            sizes = _unpack_tar(archive, scratch, guard)
        for size in sizes:
            progress.advance(size)
        os.replace(scratch, folder)
    except _DAMAGED as error:
        raise _damaged(archive, error) from error
    except OSError as error:
        # gzip and bz2 tell of damage by an OSError without the number that the system's have.
        if error.errno is not None or isinstance(error, DiskFullError):
            raise
        raise _damaged(archive, error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


def _damaged(archive: Path, error: Exception) -> DataError:
    reason = str(error).partition(":")[0]
    return DataError(
        f"Archive {archive} is damaged ({reason}). Delete it and fetch it again, or unpack it by "
        "other means."
    )


def _unpack_zip(archive: Path, scratch: Path, guard: "_Guard") -> Iterator[int]:
    with zipfile.ZipFile(archive) as members:
        for member in members.infolist():
            guard.admit(member.filename, member.file_size)
            if member.flag_bits & 1:
                raise DataError(f"Archive {archive} is encrypted. Unpack it by other means.")
            # Links are written as small files that hold their target: harmless.
            members.extract(member, scratch)
            yield member.file_size


def _unpack_tar(archive: Path, scratch: Path, guard: "_Guard") -> Iterator[int]:
    with tarfile.open(archive, tarinfo=_Member) as members:
        for member in members:
            guard.admit(member.name, member.size)
            try:
                members.extract(member, scratch, filter="data")
            except tarfile.FilterError as error:
                raise guard.refusal(member.name) from error
            yield member.size


class _Member(tarfile.TarInfo):
    """A member, for which an archive that ends without its end mark is no archive.

    The standard library takes one that was cut off between two members for a whole one.
    """

    @classmethod
    def frombuf(cls, buf: bytes, encoding: str, errors: str) -> "_Member":
        """Reads the header of a member."""
        if buf == bytes(tarfile.BLOCKSIZE):  # the end mark, which the base class tells by an error
            return super().frombuf(buf, encoding, errors)
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"{error}, and no end mark") from error


class _Guard:
    """Refuses members by their name and by what they add up to."""

    def __init__(self, archive: Path, scratch: Path, folder: Path):
        self._archive, self._scratch, self._folder = archive, scratch.resolve(), folder
        self._limit = max(HARMLESS, MAX_RATIO * archive.stat().st_size)
        self._free = free_bytes(scratch)
        self._total = 0

    def admit(self, name: str, size: int) -> None:
        """Is asked before a member is written."""
        if not (self._scratch / name).resolve().is_relative_to(self._scratch):
            raise self.refusal(name)
        self._total += size
        if self._total > self._limit:
            raise DataError(
                f"Archive {self._archive} of {megabytes(self._archive.stat().st_size)} becomes "
                f"more than {megabytes(self._limit)}, which no set of pictures does. Do not use "
                "this archive; fetch it from its publisher."
            )
        if self._total > self._free:
            raise DiskFullError(
                f"Archive {self._archive} takes more than the {megabytes(self._free)} that are "
                f"free where {self._folder} lies. Make room, or unpack it elsewhere by other "
                "means and name its folder by --manual_dir."
            )

    def refusal(self, name: str) -> DataError:
        """Returns the error for a member that may not be written."""
        return DataError(
            f"Archive {self._archive} holds {name!r}, which would be written outside "
            f"{self._folder} or is a link or device that leads there. Do not use this archive; "
            "fetch it from its publisher."
        )
