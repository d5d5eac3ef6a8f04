"""One process per workdir: an advisory lock that dies with its holder.

The kernel drops the lock when the process ends, however it ends, so there are no stale locks
to clean up after a SIGKILL or a power cut.
"""

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

LOCK_FILE = ".lock"
_held: set[int] = set()


class WorkdirBusyError(RuntimeError):
    """Another process works in this workdir; the message names it."""


@contextlib.contextmanager
def workdir_lock(workdir: Path) -> Iterator[None]:
    """Holds `<workdir>/.lock` for the duration of the block.

    The folder is made if it is absent.

    Raises:
        WorkdirBusyError: another process holds the lock.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    path = workdir / LOCK_FILE
    # Python opens files so that programs started from here do not inherit them.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    _held.add(descriptor)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WorkdirBusyError(_busy(workdir)) from error
        holder = json.dumps({"pid": os.getpid(), "host": socket.gethostname()})
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, holder.encode(), 0)
        try:
            yield
        finally:
            if descriptor in _held:
                # The file stays: whoever waits to open it would otherwise lock a ghost.
                os.truncate(descriptor, 0)
    finally:
        _close(descriptor)


def lock_holder(workdir: Path) -> int | None:
    """Returns the process that works in `workdir`, None where there is none.

    Only reads the file, so that looking never keeps anybody from locking. A process on another
    host counts as alive: from here nobody can tell.
    """
    pid, host = _read_holder(workdir)
    if pid is None or host != socket.gethostname():
        return pid
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:  # somebody else's process, and alive
        return pid
    return pid


def _read_holder(workdir: Path) -> tuple[int | None, str]:
    try:
        values = json.loads((workdir / LOCK_FILE).read_text())
        return int(values["pid"]), str(values["host"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, ""


def _busy(workdir: Path) -> str:
    pid, host = _read_holder(workdir)
    who = "another process" if pid is None else f"process {pid} on {host}"
    return (
        f"{workdir} is in use by {who}; wait until it ends, stop it with Ctrl-C or `kill`, or "
        "use another --workdir."
    )


def _close(descriptor: int) -> None:
    if descriptor in _held:
        _held.remove(descriptor)
        os.close(descriptor)


def _release_in_child() -> None:
    """Closes the locks a forked child has inherited: it must not outlive its parent's lock."""
    for descriptor in tuple(_held):
        _close(descriptor)


os.register_at_fork(after_in_child=_release_in_child)
