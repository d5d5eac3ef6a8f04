"""Finds the one line of a trial's log that says what went wrong."""

import re
import signal
from pathlib import Path

_TAIL_BYTES = 256 * 1024
_MAX_CHARACTERS = 300
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TRACEBACK = "Traceback (most recent call last)"
_ERROR = re.compile(r"(?:\w+\.)*\w*(?:Error|Exception|Interrupt)(?:: .*)?$|(?i:error): .+")
_FATAL = re.compile(r"F\d{4} \d\d:\d\d|Fatal Python error: |terminate called after")
# Printed for what fails during shutdown, after the exception that ended the program.
_HARMLESS = "Exception ignored "


def exit_reason(returncode: int, log: Path, start: int) -> str:
    """Says in one line why a process ended.

    Args:
        returncode: as subprocess gives it, negative for a signal.
        log: file with what the process printed.
        start: offset in bytes at which its output begins.
    """
    line = last_error(log, start)
    if returncode >= 0:
        return line or f"exited with code {returncode} and printed nothing"
    number = -returncode
    reason = f"killed by signal {number} ({_signal_name(number)})"
    if number == signal.SIGKILL:
        return f"{reason}, perhaps for lack of memory"
    return f"{reason}: {line}" if line else reason


def last_error(log: Path, start: int) -> str:
    """Returns the last line that names an error, else the last line, else "".

    Such a line is the first unindented one after a traceback, or one that begins with an
    exception's name, with "error:", or as a fatal message of the C++ libraries does.
    """
    lines = [_ESCAPES.sub("", line).rstrip() for line in _tail(log, start)]
    lines = [line for line in lines if line]
    found = ""
    traceback = harmless = False
    for line in lines:
        if line.startswith(_HARMLESS):
            harmless = True
        elif line.startswith(_TRACEBACK):
            traceback = True
        elif (traceback and not line[0].isspace()) or _ERROR.match(line) or _FATAL.match(line):
            found = found if harmless else line
            traceback = harmless = False
    line = found or (lines[-1] if lines else "")
    return line if len(line) <= _MAX_CHARACTERS else line[: _MAX_CHARACTERS - 3] + "..."


def _tail(log: Path, start: int) -> list[str]:
    """Returns the last lines, without the carriage returns of progress bars."""
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(start, size - _TAIL_BYTES))
        text = file.read().decode("utf-8", errors="replace")
    return re.split(r"[\r\n]+", text)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unnamed"
