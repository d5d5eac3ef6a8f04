"""One process prepares a dataset at a time: an advisory lock that dies with its holder.

The kernel drops the lock when the process ends, however it ends: nothing is left to clean up.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


class BusyError(RuntimeError):
    """Another process holds the lock; the message says so."""


@contextlib.contextmanager
def exclusive(path: Path, what: str) -> Iterator[None]:
    """Holds a lock file for the duration of the block, and removes it at its end.

    Args:
        path: the lock file; its folder is made if it is absent.
        what: what is done meanwhile, beginning the message.

    Raises:
        BusyError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _open(path)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _busy(path, what) from error
        if not _is_still(path, descriptor):  # its holder has ended and removed it just now
            raise _busy(path, what)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    # Python opens files so that programs started from here do not inherit them.
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _busy(path: Path, what: str) -> BusyError:
    try:
        holder = f"process {int(path.read_text())}"
    except (OSError, ValueError):
        holder = "another process"
    return BusyError(
        f"{what} by {holder}. Wait until it ends, then give the same command "
        f"again; {path} is free as soon as its process is gone."
    )
