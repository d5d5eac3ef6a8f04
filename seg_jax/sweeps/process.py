"""One attempt at a trial: a subprocess with its log, its limits and its end."""

import contextlib
import datetime
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from seg_jax.sweeps.logs import exit_reason
from seg_jax.sweeps.slots import Slot

LOG_FILE = "log.txt"
_BOOTSTRAP = str(Path(__file__).with_name("bootstrap.py"))


class TrialProcess:
    """A running attempt.

    The process leads a session of its own: the terminal's Ctrl-C reaches only the sweep, which
    then ends the trials in order, and whatever the trial starts can be ended with it.

    Attributes:
        stopped_for: why it was told to stop, "" while it was not.
    """

    def __init__(self, command: Sequence[str], directory: Path, slot: Slot, attempt: int):
        """Starts `command`; its output is appended to `<directory>/log.txt`."""
        self.stopped_for = ""
        self._log = directory / LOG_FILE
        self._started = time.monotonic()
        self._kill_at = float("inf")
        cores = ",".join(map(str, slot.cores)) or "-"
        binding = [sys.executable, "-S", "-E", _BOOTSTRAP, str(os.getpid()), cores]
        with self._log.open("ab") as log:
            now = datetime.datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
            log.write(f"--- {now} attempt {attempt}: {shlex.join(command)}\n".encode())
            log.flush()
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                [*binding, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Unbuffered, so that a killed trial has said everything it had to say.
                env={**os.environ, "PYTHONUNBUFFERED": "1", **slot.environment},
                start_new_session=True,
            )

    @property
    def seconds(self) -> float:
        """Time since the start, in seconds."""
        return time.monotonic() - self._started

    def stop(self, reason: str, grace_seconds: float) -> None:
        """Asks it to end (SIGTERM); `poll` kills it once the grace period is over.

        A second call only shortens the grace period.
        """
        self._kill_at = min(self._kill_at, time.monotonic() + grace_seconds)
        if not self.stopped_for:
            self.stopped_for = reason
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kills the process and everything it has started, and waits for its end."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def poll(self) -> int | None:
        """Returns the exit code, negative for a signal, or None while it runs."""
        if self._process.returncode is None:
            if time.monotonic() >= self._kill_at:
                self.kill()
            elif self._process.poll() is not None:
                self._signal(signal.SIGKILL)  # what it may have left behind
        return self._process.returncode

    def exit_reason(self) -> str:
        """Says in one line why the process ended; call it once `poll` has told that it has."""
        return exit_reason(self._process.returncode, self._log, self._log_start)

    def _signal(self, number: signal.Signals) -> None:
        # The group is gone, or on macOS a zombie: there is nobody left to signal.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
