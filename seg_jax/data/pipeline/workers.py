"""Worker processes: how they start, how they end with their parent, what is said if one dies."""

import multiprocessing
import os
import re
import signal
import threading

import cv2

_KILLED = re.compile(r"terminated unexpectedly with exit code (-?\d+)")
"""How Grain words the death of a worker; it has no exception of its own for it."""


def start_worker(index: int, count: int) -> None:
    """Readies a worker process before it reads anything.

    Args:
        index: which worker this is.
        count: how many there are.
    """
    # Ctrl-C reaches every process of a terminal. The parent saves its state and closes the
    # workers; if they died first, it would see a crash in the place of a request to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()


def _end_with_parent() -> None:
    """Ends this process when its parent is gone, however that ended.

    Workers of a killed parent would otherwise wait for ever, hold their shared memory, and keep
    its standard output open. PR_SET_PDEATHSIG is no cure: it fires when the thread that started
    the worker ends, and Grain starts workers in threads that do not last.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def explain(error: RuntimeError) -> RuntimeError | None:
    """Returns the error to show for Grain's report of a dead worker; None for any other error."""
    found = _KILLED.search(str(error))
    if not found:
        return None
    code = int(found[1])
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    return RuntimeError(
        f"A worker process that reads the data {how}, most often because memory or /dev/shm is "
        "full. Lower config.dataset.num_workers, or set it to 0 to read in threads of this "
        "process; the same command continues from the last checkpoint."
    )
