"""Phrases that the terminal and the page share."""

from collections.abc import Mapping

from seg_jax.data.doctor.facts import Size
from seg_jax.data.doctor.finding import Severity, counted
from seg_jax.doctor.diagnosis import Diagnosis


def verdict(diagnosis: Diagnosis) -> str:
    """Returns in a few words whether the dataset is sound."""
    found = f"{_number(diagnosis, 'fault')}, {_number(diagnosis, 'warning')}"
    return f"Sound: {found}." if diagnosis.sound else f"Not sound: {found}."


def describe_place(diagnosis: Diagnosis) -> str:
    """Returns what was looked at."""
    if diagnosis.form == "made on demand":
        return "made on demand"
    if diagnosis.form == "files":
        return f"files in {diagnosis.place}, before preparing"
    return f"prepared in {diagnosis.place}"


def size_range(sizes: Mapping[Size, int]) -> str:
    """Returns the one size, or the smallest and largest by area and how many there are."""
    if not sizes:
        return "-"
    ordered = sorted(sizes, key=lambda size: (size[0] * size[1], size))
    first, last = (f"{height} x {width}" for height, width in (ordered[0], ordered[-1]))
    if len(ordered) == 1:
        return first
    return f"{first} to {last}, {len(ordered):,} sizes"


def _number(diagnosis: Diagnosis, severity: Severity) -> str:
    count = diagnosis.count(severity)
    return counted(count, severity) if count else f"no {severity}s"
