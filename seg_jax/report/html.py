"""Renders the report page: one file that needs nothing else, neither network nor scripts."""

import base64
import dataclasses
import datetime
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from seg_jax.report import facts, findings
from seg_jax.report.formats import heading
from seg_jax.report.pictures import Grid
from seg_jax.report.records import Comparison, Sweep, Trial
from seg_jax.report.style import Plot, to_svg
from seg_jax.report.table import MISSING, Table
from seg_jax.report.tables import boundary_table, class_table, main_table, probe_tables
from seg_jax.sweeps.plan import compact

TEMPLATES = Path(__file__).parent / "templates"
_FILES = ("config.json", "result.json", "metrics.jsonl", "log.txt")


@dataclasses.dataclass(frozen=True)
class Panel:
    """A comparison with what was drawn for it.

    Attributes:
        comparison: the numbers.
        plots: its figures, drawn.
        grid: its pictures.
    """

    comparison: Comparison
    plots: Sequence[Plot]
    grid: Grid


def render(sweep: Sweep, panels: Sequence[Panel], *, written: datetime.datetime) -> str:
    """Renders the page.

    Args:
        sweep: what was run.
        panels: one per comparison of the sweep, in its order.
        written: the moment to print as the page's date.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        # Labels, class names and error lines come from users and from other programs.
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["png"] = _data_uri
    environment.filters["hex"] = lambda colour: "#{:02x}{:02x}{:02x}".format(*colour)
    return environment.get_template("index.html.j2").render(
        sweep=sweep,
        progress=facts.progress(sweep),
        facts=facts.run_facts(sweep),
        mixed_hardware=facts.mixed_hardware(sweep),
        commands=facts.commands(sweep),
        panels=[_panel(panel, number) for number, panel in enumerate(panels)],
        unfinished=[trial for trial in sweep.trials if trial.result is None],
        trials=[_trial(trial) for trial in sweep.trials],
        written=written.strftime("%Y-%m-%d %H:%M UTC"),
        missing=MISSING,
    )


def _panel(panel: Panel, number: int) -> dict[str, Any]:
    comparison = panel.comparison
    figures = {plot.name: _figure(plot, number) for plot in panel.plots}
    probes = [
        {
            "title": probe.title,
            "figure": figures.get(f"probe_{probe.factor}"),
            "sentences": findings.on_probe(comparison, probe),
            "table": _table(table),
        }
        for probe, table in zip(comparison.probes, probe_tables(comparison), strict=True)
    ]
    boundary, classes = boundary_table(comparison), class_table(comparison)
    return {
        "id": number,
        "heading": heading(comparison),
        "comparison": comparison,
        "single_seeds": [c.label for c in comparison.finished if len(c.results) == 1],
        "overall": findings.overall(comparison),
        "main": _table(main_table(comparison)),
        "figures": figures,
        "probes": probes,
        "boundary": _table(boundary) if comparison.boundary_widths else None,
        "boundary_sentences": findings.on_boundary(comparison),
        "classes": _table(classes) if comparison.classes else None,
        "class_sentences": findings.on_classes(comparison),
        "grid": panel.grid,
        "legend": list(zip(comparison.classes, comparison.palette, strict=False)),
    }


def _figure(plot: Plot, number: int) -> dict[str, Any]:
    prefix = re.sub(r"[^A-Za-z0-9]+", "-", f"f{number}-{plot.name}")
    # The only markup that is trusted: matplotlib escapes the text in it.
    svg = Markup(to_svg(plot.figure, prefix=prefix, title=plot.title))
    return {"title": plot.title, "caption": plot.caption, "svg": svg}


def _table(table: Table) -> dict[str, Any]:
    """Adds to each shaded cell how its value lies between the extremes of the table."""
    shaded = [i for i, column in enumerate(table.columns) if column.shaded]
    values = [v for row in table.rows for i in shaded if (v := row[i].value) is not None]
    low, high = min(values, default=0.0), max(values, default=0.0)

    def share(value: float | None, i: int) -> float | None:
        return None if value is None or i not in shaded else (value - low) / (high - low or 1.0)

    return {
        "table": table,
        "groups": _groups([column.group for column in table.columns]),
        "rows": [
            [(cell, share(cell.value, i)) for i, cell in enumerate(row)] for row in table.rows
        ],
    }


def _groups(names: Sequence[str]) -> list[tuple[str, int]]:
    """Run-length encodes column groups; empty where no column has one."""
    runs: list[tuple[str, int]] = []
    for name in names:
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1] + 1)
        else:
            runs.append((name, 1))
    return runs if any(names) else []


def _trial(trial: Trial) -> Mapping[str, Any]:
    """A trial with links to its files, relative to the report's folder."""
    links = [
        (name, f"../{quote(trial.uid)}/{name}")
        for name in _FILES
        if (trial.folder / name).is_file()
    ]
    overrides = [
        (key, compact(value))
        for key, value in trial.overrides.items()
        if key not in ("seed", "label")
    ]
    return {"trial": trial, "links": links, "overrides": overrides}


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
