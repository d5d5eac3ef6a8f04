"""Builds the metrics that a config names, each with its published defaults."""

from collections.abc import Sequence

from seg_jax.metrics import METRICS
from seg_jax.metrics.metric import Metric
from seg_jax.registry import resolve


def make_metrics(names: Sequence[str], *, classes: tuple[str, ...]) -> dict[str, Metric]:
    """Returns the named metrics, in that order.

    Args:
        names: keys of METRICS.
        classes: names of the dataset's classes by class id; there are k of them.

    Raises:
        ValueError: a name is unknown, or the metric is not defined for these classes.
    """
    return {
        name: resolve(name, METRICS, kind="metric", field="config.evaluate.metrics")(classes)
        for name in names
    }
