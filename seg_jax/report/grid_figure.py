"""The qualitative grid as one figure, for a paper."""

import cv2
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from seg_jax.report import labels, style
from seg_jax.report.pictures import Grid
from seg_jax.report.records import Comparison
from seg_jax.report.style import Plot

_CELL = 1.35


def grid_plot(grid: Grid, comparison: Comparison) -> Plot | None:
    """Lays the grid out with one column per configuration and the classes below it."""
    if not grid.rows:
        return None
    titles = ["image", "truth", *grid.labels]
    legend_rows = -(-(len(comparison.classes) + grid.has_ignored) // 6)
    with style.styled():
        figure = Figure(
            figsize=(_CELL * len(titles), _CELL * len(grid.rows) + 0.3 + 0.22 * legend_rows),
            layout="constrained",
        )
        axes = figure.subplots(len(grid.rows), len(titles), squeeze=False)
        for row, line in zip(grid.rows, axes, strict=True):
            shown = [row.image, row.truth]
            shown += [
                row.pictures[label].prediction if label in row.pictures else b""
                for label in grid.labels
            ]
            for png, ax in zip(shown, line, strict=True):
                ax.set_axis_off()
                if png:
                    ax.imshow(_decode(png), interpolation="nearest")
        for title, ax in zip(titles, axes[0], strict=True):
            ax.set_title(labels.wrap(title), fontsize=8.5, loc="center")
        handles = [
            Patch(facecolor=(r / 255, g / 255, b / 255), label=name)
            for name, (r, g, b) in zip(comparison.classes, comparison.palette, strict=False)
        ]
        if grid.has_ignored:
            handles.append(
                Patch(facecolor="white", edgecolor="black", hatch="////", label="ignored")
            )
        figure.legend(handles=handles, loc="outside lower left", ncols=6, fontsize=8)
    return Plot("pictures", "Predictions", "The first seed of every configuration.", figure)


def _decode(png: bytes) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB))
