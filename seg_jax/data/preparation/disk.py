"""Room on the disk: looked at before the work, and named when it ends during it."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT)
"""Error numbers of a disk, or of a user's share of one, that is full."""

_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


class DiskFullError(OSError):
    """There is no room on the disk; the message says how much is needed and where."""


def free_bytes(folder: Path) -> int:
    """Returns what may still be written where a folder lies or will lie."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def require_space(needed: int, folder: Path, what: str) -> None:
    """Refuses to begin what will not fit.

    Args:
        needed: bytes.
        folder: where they will be written.
        what: what they are, beginning the message.

    Raises:
        DiskFullError: they do not fit.
    """
    free = free_bytes(folder)
    if needed > free:
        raise DiskFullError(
            f"{what} needs about {megabytes(needed)}, but {folder} has {megabytes(free)} free. "
            "Make room there, or name another disk by --data_dir or $SEG_JAX_DATA.",
        )


def megabytes(count: int) -> str:
    """Returns a number of bytes as a person reads it, such as "42 MB" or "19.3 GB"."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 1e7 else f"{count / 1e6:.1f} MB"


@contextlib.contextmanager
def explaining(root: Path) -> Iterator[None]:
    """Turns what the system says about a full or read-only disk into one sentence.

    Only for paths under `root`: a file of the user's that may not be read is another fault.

    Raises:
        DiskFullError: the disk became full.
        PermissionError: `root` cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None and not _under(error.filename, root):
            raise
        if error.errno in FULL:
            raise DiskFullError(
                f"The disk that holds {root} is full: {megabytes(free_bytes(root))} are left. "
                "Make room and give the same command again: it continues. Or begin on another "
                "disk, named by --data_dir or $SEG_JAX_DATA."
            ) from error
        if error.errno in _READ_ONLY and error.filename is not None:
            raise PermissionError(
                f"{error.filename} cannot be written ({error.strerror}). Name another folder by "
                "--data_dir or $SEG_JAX_DATA, or change its permissions."
            ) from error
        raise


def _under(path: str | bytes | int, root: Path) -> bool:
    if not isinstance(path, str):
        return False
    return Path(os.path.abspath(path)).is_relative_to(os.path.abspath(root))
