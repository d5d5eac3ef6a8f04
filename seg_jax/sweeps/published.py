"""The figure of a paper that a trial is set beside, `config.paper`, written as it was printed."""

from collections.abc import Mapping, Sequence
from typing import Any

SCORES = ("miou", "pixel_accuracy", "mean_accuracy", "frequency_weighted_iou")
"""Measures that every evaluation has: fractions in a config, printed in percent."""

_ABSENT = "-"


def published_column(papers: Sequence[Mapping[str, Any]]) -> tuple[str, list[str]] | None:
    """Returns the header and the cells of a column of published figures.

    Args:
        papers: the section `paper` of every trial; empty for a trial from before there was one.

    Returns:
        None where no trial has a figure. The measure is in the header if all have the same.
    """
    metrics = {paper["metric"] for paper in papers if paper.get("value")}
    if not metrics:
        return None
    alike = len(metrics) == 1
    header = f"published {metrics.pop()}" if alike else "published"
    return header, [_figure(paper, named=not alike) for paper in papers]


def _figure(paper: Mapping[str, Any], *, named: bool) -> str:
    if not paper.get("value"):
        return _ABSENT
    metric, value = paper["metric"], paper["value"]
    text = f"{100 * value if metric in SCORES else value:.6g}"
    return f"{metric} {text}" if named else text
