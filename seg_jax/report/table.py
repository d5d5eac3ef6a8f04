"""A table as data: what every format (terminal, Markdown, LaTeX, HTML) renders."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Literal

from seg_jax.report.statistics import Summary

MISSING = "\N{EN DASH}"
"""Shown where there is no number."""


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: heading.
        group: heading over several columns, "" for none.
        best: which extreme is the best value, "" where neither is.
        shaded: whether formats that can colour a cell show the size of its value.
    """

    title: str
    group: str = ""
    best: Literal["max", "min", ""] = ""
    shaded: bool = False


@dataclasses.dataclass(frozen=True)
class Cell:
    """One entry of a table.

    Attributes:
        text: the mean over seeds, or any other text.
        spread: the standard deviation in the same unit and digits, "" for a single seed.
        value: the number behind `text`, to sort and shade by; None where there is none.
        best: whether nothing in the column is better at the digits shown.
    """

    text: str
    spread: str = ""
    value: float | None = None
    best: bool = False

    def with_spread(self, plus_minus: str = " ± ") -> str:
        """Returns "mean ± std", or the text alone where there is no std."""
        return f"{self.text}{plus_minus}{self.spread}" if self.spread else self.text


@dataclasses.dataclass(frozen=True)
class Table:
    """A finished table; its first column names the row.

    Attributes:
        name: short id, letters and underscores.
        title: one line.
        columns: headings, the row's name first.
        rows: one per configuration, as long as `columns`.
        notes: full sentences for below the table.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


Format = Callable[[float], str]


def percent(value: float) -> str:
    """Formats a percentage."""
    return f"{value:.1f}"


def significant(value: float) -> str:
    """Formats with three significant digits and never an exponent."""
    magnitude = f"{value:.2e}"
    digits = max(0, 2 - int(magnitude[magnitude.index("e") + 1 :]))
    return f"{value:.{digits}f}"


def duration(seconds: float) -> str:
    """Formats seconds in the unit a person would use."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def measured(
    column: Column,
    summaries: Sequence[Summary | None],
    form: Format,
    *,
    spread: bool = True,
) -> list[Cell]:
    """Turns one summary per row into the cells of a column, and marks the best.

    Values that read the same are equally good: a digit that is not shown decides nothing.
    A column with fewer than two numbers has no best.

    Args:
        column: its `best` says which extreme wins.
        summaries: one per row, in the unit of the column; None where there is no number.
        form: how a number is written.
        spread: whether to show the standard deviation over seeds.
    """
    means = [summary.mean for summary in summaries if summary is not None]
    winner = None
    if column.best and len(means) > 1:
        winner = form(max(means) if column.best == "max" else min(means))
    cells = []
    for summary in summaries:
        if summary is None:
            cells.append(Cell(MISSING))
            continue
        text, std = form(summary.mean), summary.std
        shown = form(std) if spread and std is not None else ""
        cells.append(Cell(text, shown, summary.mean, best=text == winner))
    return cells


def rows(columns: Sequence[Sequence[Cell]]) -> tuple[tuple[Cell, ...], ...]:
    """Transposes columns of cells into rows."""
    return tuple(zip(*columns, strict=True))
