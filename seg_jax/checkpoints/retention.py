"""Which checkpoints are kept, and the metric by which the best ones are known."""

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path

from absl import logging

from seg_jax.files import JSONFileError, read_json, write_json

METRIC = "metric.json"


def steps_to_keep(
    metrics: Mapping[int, float | None], *, last: int, every: int, best: int
) -> set[int]:
    """Returns the steps that stay.

    Args:
        metrics: of every step there is; higher is better, None where it is not known.
        last: number of newest steps.
        every: steps divisible by it stay for good; 0 for none.
        best: number of steps with the highest metrics.
    """
    permanent = {step for step in metrics if every and step % every == 0}
    return {*sorted(metrics)[-last:], *permanent, *best_first(metrics)[:best]}


def best_first(metrics: Mapping[int, float | None]) -> list[int]:
    """Returns the steps whose metric is known, the best first; of equals, the later one."""
    known = {step: metric for step, metric in metrics.items() if metric is not None}
    return sorted(known, key=lambda step: (known[step], step), reverse=True)


def write_metric(step: Path, metric: float) -> None:
    """Notes the metric of the checkpoint in folder `step`; NaN is no metric and leaves none.

    The file is not in the manifest, which is older and never changes. It vouches for itself.
    """
    if not math.isnan(metric):
        write_json(step / METRIC, {"metric": metric, "sha256": _seal(metric)})


def read_metric(step: Path) -> float | None:
    """Returns the metric of the checkpoint in folder `step`; None where it is not known."""
    try:
        values = read_json(step / METRIC)
        metric = float(values["metric"])
        whole = values["sha256"] == _seal(metric)
    except FileNotFoundError:
        return None
    except (OSError, JSONFileError, KeyError, TypeError, ValueError):
        metric, whole = None, False
    if whole:
        return metric
    logging.warning("%s is not what was written; the metric is taken as unknown.", step / METRIC)
    return None


def _seal(metric: float) -> str:
    return hashlib.sha256(float(metric).hex().encode()).hexdigest()
