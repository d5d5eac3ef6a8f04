"""What a long preparation tells whoever started it."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Progress(Protocol):
    """Is told what happens; a terminal and a log file show it in different ways."""

    def say(self, line: str) -> None:
        """Is told one sentence."""
        ...

    def start(self, phase: str, total: int, *, unit: str, done: int = 0) -> None:
        """Is told that a phase begins, which ends the one before.

        Args:
            phase: what is done, such as "converting".
            total: units to be done; 0 where not known.
            unit: what is counted: "examples" or "bytes".
            done: units that an earlier call has done.
        """
        ...

    def advance(self, count: int) -> None:
        """Is told how many more units of the phase are done."""
        ...


class Silent:
    """Shows nothing."""

    def say(self, line: str) -> None:
        """Shows nothing."""

    def start(self, phase: str, total: int, *, unit: str, done: int = 0) -> None:
        """Shows nothing."""

    def advance(self, count: int) -> None:
        """Shows nothing."""


SILENT = Silent()
