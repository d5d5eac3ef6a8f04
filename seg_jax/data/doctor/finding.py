"""A finding: something to know about a dataset, how bad it is, and what to do about it."""

import dataclasses
from collections.abc import Sequence
from typing import Literal

Severity = Literal["fault", "warning", "note"]
"""A fault makes training fail or its scores wrong, a warning may, a note is good to know."""

NAMES = 3
"""Examples named in a sentence; the record lists all."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something to know about a dataset.

    Attributes:
        severity: how bad it is.
        kind: what it is, a few words, the same for every dataset.
        split: the split, or both, or empty where it is about the whole dataset.
        sentence: what is so.
        remedy: what to do; empty where there is nothing to do.
        detail: the message about the first faulty example.
        examples: names of the examples that it is about, all of them.
    """

    severity: Severity
    kind: str
    split: str
    sentence: str
    remedy: str = ""
    detail: str = ""
    examples: tuple[str, ...] = ()


def by_severity(findings: Sequence[Finding]) -> list[Finding]:
    """Returns the faults, then the warnings, then the notes."""
    return sorted(
        findings, key=lambda finding: ("fault", "warning", "note").index(finding.severity)
    )


def listed(names: Sequence[str], most: int = NAMES) -> str:
    """Returns the first names, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def counted(number: int, noun: str) -> str:
    """Returns a number with its noun, such as "1 image" or "1,464 images"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
