"""Writes a sweep's report: the page, the tables in three formats, and every figure."""

import datetime
import os
import re
from pathlib import Path

from seg_jax.report.collect import read_sweep
from seg_jax.report.csv_files import configurations_csv, trials_csv
from seg_jax.report.formats import latex, markdown
from seg_jax.report.grid_figure import grid_plot
from seg_jax.report.html import Panel, render
from seg_jax.report.pictures import make_grid
from seg_jax.report.plots import all_plots
from seg_jax.report.style import to_png

REPORT_FOLDER = "report"


def build_report(workdir: Path) -> Path:
    """Writes `report/` in a sweep's folder from whatever its trials have written so far.

    Every file is replaced atomically and the page comes last, so a reader never sees half of
    one. PNG files of an earlier report that this one does not have are removed.

    Returns:
        The path of `report/index.html`.

    Raises:
        PlanError: the folder holds no readable plan.json.
    """
    sweep = read_sweep(workdir)
    written = datetime.datetime.now(datetime.UTC)
    files: dict[str, bytes] = {}
    panels = []
    for number, comparison in enumerate(sweep.comparisons):
        plots, grid = all_plots(comparison), make_grid(comparison)
        panels.append(Panel(comparison, plots, grid))
        pictures = grid_plot(grid, comparison)
        suffix = f"_{number}" if len(sweep.comparisons) > 1 else ""
        for plot in [*plots, *([pictures] if pictures else [])]:
            name = re.sub(r"[^A-Za-z0-9_-]+", "_", plot.name)
            files[f"{name}{suffix}.png"] = to_png(plot.figure)
    texts = {
        "table.md": markdown(sweep),
        "table.csv": configurations_csv(sweep),
        "trials.csv": trials_csv(sweep),
        "table.tex": latex(sweep),
        "index.html": render(sweep, panels, written=written),
    }
    files |= {name: text.encode("utf-8") for name, text in texts.items()}
    folder = workdir / REPORT_FOLDER
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        _replace(folder / name, content)
    for stale in folder.glob("*.png"):
        if stale.name not in files:
            stale.unlink()
    return folder / "index.html"


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(content)
    temporary.replace(path)
