"""How figures look: colours that colour-blind readers can tell apart, type, and saving.

The colours are those of Okabe and Ito ("Color Universal Design", 2008) without the yellow, which
is too faint for lines; markers and dashes repeat what colour says.
"""

import contextlib
import dataclasses
import io
import re
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc6fa0", "#c98a00", "#3d9fd6", "#7a5c99", "#6b6f76")
"""Colours of configurations; templates/style.css holds lighter ones for a dark page."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
INK, MUTED, GRID, PAPER = "#1c2128", "#5b6470", "#dfe3e8", "#ffffff"

WIDTH, HEIGHT = 5.6, 3.4
"""Of a figure, in inches: half a page, so that its text is read at its own size."""

_TOKENS = {INK: "--ink", MUTED: "--muted", GRID: "--grid", PAPER: "--paper"} | {
    colour: f"--series-{i}" for i, colour in enumerate(SERIES)
}
_RC: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "xtick.minor.size": 0.0,
    "ytick.minor.size": 0.0,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    # A label such as "lr=$1" is text, not mathematics.
    "text.parse_math": False,
    # Text stays text: it can be selected, and takes the page's own font.
    "svg.fonttype": "none",
    "svg.hashsalt": "seg_jax",
}


@dataclasses.dataclass(frozen=True)
class Plot:
    """A finished figure.

    Attributes:
        name: file name without ending.
        title: what it shows, one line of plain text.
        caption: how to read it, one sentence.
        figure: drawn, not yet saved.
    """

    name: str
    title: str
    caption: str
    figure: Figure


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Applies the style to figures that are made and saved inside, and to nothing else."""
    with mpl.rc_context(_RC):
        yield


def colour(position: int) -> str:
    """Colour of the configuration at `position` of its comparison."""
    return SERIES[position % len(SERIES)]


def marker(position: int) -> str:
    """Marker of the configuration at `position`."""
    return MARKERS[position % len(MARKERS)]


def dashes(position: int) -> str | tuple:
    """Line style: solid for the first eight configurations, then other dashes per eight."""
    return DASHES[(position // len(SERIES)) % len(DASHES)]


def axes(width: float, height: float) -> tuple[Figure, Axes]:
    """Makes a figure with one pair of axes; sizes in inches.

    The figure belongs to no window and no global list, so nobody has to close it.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def freeze(figure: Figure) -> None:
    """Lays a figure out once and for all, so that saving it several times need not."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def to_png(figure: Figure) -> bytes:
    """Renders for print: white paper, 200 dots per inch."""
    buffer = io.BytesIO()
    with styled():
        figure.savefig(buffer, format="png", dpi=200)
    return buffer.getvalue()


def to_svg(figure: Figure, *, prefix: str, title: str) -> str:
    """Renders for a page: an <svg> element whose colours follow the page's theme.

    Args:
        figure: drawn with the colours of this module.
        prefix: makes ids unique among all figures of one page.
        title: plain text read out in place of the picture.
    """
    buffer = io.StringIO()
    with styled():
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'id="', f'id="{prefix}-', svg)
    svg = re.sub(r'href="#', f'href="#{prefix}-', svg)
    svg = re.sub(r"url\(#", f"url(#{prefix}-", svg)
    svg = re.sub(r"'DejaVu Sans'", "var(--sans, 'DejaVu Sans', sans-serif)", svg)
    for shade, token in _TOKENS.items():
        svg = svg.replace(shade, f"var({token}, {shade})")
    label = title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
