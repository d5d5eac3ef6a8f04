"""Learning curves: reads `metrics.jsonl` and averages it over seeds."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from seg_jax.report.statistics import finite

METRICS_FILE = "metrics.jsonl"


@dataclasses.dataclass(frozen=True)
class Curve:
    """One quantity against the training step.

    Attributes:
        steps: ascending, without repeats.
        values: the quantity at each step.
    """

    steps: Float[np.ndarray, " n"]
    values: Float[np.ndarray, " n"]


@dataclasses.dataclass(frozen=True)
class Band:
    """A curve averaged over seeds.

    Attributes:
        steps: the steps that every seed covers.
        raw: mean over seeds of the values as logged.
        mean: mean over seeds of the smoothed values.
        std: their sample standard deviation over seeds, zero for a single seed.
        num_seeds: how many curves went in.
    """

    steps: Float[np.ndarray, " n"]
    raw: Float[np.ndarray, " n"]
    mean: Float[np.ndarray, " n"]
    std: Float[np.ndarray, " n"]
    num_seeds: int


def read_curve(folder: Path, key: str) -> Curve | None:
    """Reads the rows of a trial's `metrics.jsonl` that hold a step and a finite `key`.

    Lines that are no JSON are passed over: a killed trial leaves its last one half written. Of
    rows with the same step the last counts: it was written after a resume.

    Returns:
        None where the file is absent or holds no such row.
    """
    points: dict[float, float] = {}
    try:
        lines = (folder / METRICS_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if not isinstance(row, dict):
            continue
        step, value = finite(row.get("step")), finite(row.get(key))
        if step is not None and value is not None:
            points[step] = value
    if not points:
        return None
    steps = sorted(points)
    return Curve(np.array(steps), np.array([points[step] for step in steps]))


def smooth(values: Float[np.ndarray, " n"], window: int) -> Float[np.ndarray, " n"]:
    """Centred moving average; near the ends the window shrinks, so no value is invented."""
    half = window // 2
    total = np.concatenate([[0.0], np.cumsum(values)])
    index = np.arange(len(values))
    reach = np.minimum(half, np.minimum(index, len(values) - 1 - index))
    return (total[index + reach + 1] - total[index - reach]) / (2 * reach + 1)


def average(curves: Sequence[Curve], *, window: int) -> Band | None:
    """Averages over seeds on the steps that all of them cover.

    Args:
        curves: one per seed.
        window: points in the moving average; 1 does not smooth.

    Returns:
        None without curves, or where no step is covered by all.
    """
    if not curves:
        return None
    first = max(curve.steps[0] for curve in curves)
    last = min(curve.steps[-1] for curve in curves)
    steps = np.unique(np.concatenate([curve.steps for curve in curves]))
    steps = steps[(steps >= first) & (steps <= last)]
    if not len(steps):
        return None
    raw = np.stack([np.interp(steps, curve.steps, curve.values) for curve in curves])
    smoothed = np.stack([smooth(row, window) for row in raw])
    std = smoothed.std(axis=0, ddof=1) if len(curves) > 1 else np.zeros(len(steps))
    return Band(steps, raw.mean(axis=0), smoothed.mean(axis=0), std, len(curves))
