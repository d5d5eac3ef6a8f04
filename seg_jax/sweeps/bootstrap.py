"""Becomes a trial's command, bound to the sweep's life and to its share of the cores.

Run as `python bootstrap.py PARENT_PID CORES COMMAND...`, with CORES such as `0,1` or `-` for
all. Both bindings are set here, after the fork and before the program starts, and survive the
exec: a `preexec_fn` would run Python code between fork and exec, which can deadlock, and
pinning the trial from outside would come after XLA has sized its thread pool.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Binds this process and replaces it by the command; returns only by an exception."""
    parent, cores, *command = arguments
    if sys.platform == "linux":
        # The kernel kills the trial when the sweep ends, even by SIGKILL. Elsewhere a killed
        # sweep leaves its trials running; their own locks keep a second copy out.
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
        if cores != "-":
            os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    if os.getppid() != int(parent):
        sys.exit("The sweep ended before this trial had started.")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
