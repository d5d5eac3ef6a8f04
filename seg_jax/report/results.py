"""Reads one trial's `result.json` and refuses what the tables could not trust."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seg_jax.files import JSONFileError, read_json

Result = Mapping[str, Any]


class DamagedFileError(ValueError):
    """A file of a trial cannot be read; the message is one line that says why."""


def read_result(path: Path) -> Result:
    """Reads a `result.json` and checks the shape of every part that a report uses.

    Parts that a report can do without may be absent; parts that are there must be well formed,
    since half a damaged file is not half a result.

    Raises:
        DamagedFileError: the file is unreadable or a part has the wrong shape.
    """
    try:
        result = read_json(path)
    except (OSError, JSONFileError) as error:
        raise DamagedFileError(str(error).replace(str(path), path.name)) from error
    problem = _problem(result)
    if problem:
        raise DamagedFileError(f"{path.name} is damaged: {problem}")
    return result


def _problem(result: Result) -> str:
    """Returns what is wrong with `result`, or ""."""
    metrics = result.get("metrics")
    if not isinstance(metrics, dict) or "miou" not in metrics:
        return "metrics.miou is missing."
    for name in ("overrides", "boundary_miou", "versions", "hardware"):
        if not isinstance(result.get(name, {}), dict):
            return f"{name} is not an object."
    if not isinstance(metrics.get("iou_per_class", {}), dict):
        return "metrics.iou_per_class is not an object."
    if not all(width.isdigit() for width in result.get("boundary_miou", {})):
        return "a key of boundary_miou is not a width in whole pixels."
    if not _is_list_of(result.get("classes", []), str):
        return "classes is not a list of names."
    palette = result.get("palette", [])
    if not isinstance(palette, list) or not all(_is_colour(colour) for colour in palette):
        return "palette is not a list of [r, g, b] with values in 0..255."
    if not isinstance(result.get("probes", []), list):
        return "probes is not a list."
    for probe in result.get("probes", []):
        if not _is_probe(probe):
            return "an entry of probes lacks a factor, or its levels and miou differ in length."
    return ""


def _is_list_of(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)


def _is_colour(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 3:
        return False
    return _is_list_of(value, int) and all(0 <= channel <= 255 for channel in value)


def _is_probe(value: object) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("factor"), str):
        return False
    levels, miou = value.get("levels"), value.get("miou")
    if not isinstance(levels, list) or not isinstance(miou, list) or len(levels) != len(miou):
        return False
    return all(isinstance(level, int | float | str) for level in levels)
