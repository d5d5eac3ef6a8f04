"""Figures with a line per configuration: learning curves, probes and the boundary band."""

from collections.abc import Sequence

import numpy as np

from seg_jax.report import labels, style
from seg_jax.report.curves import Band, average, read_curve
from seg_jax.report.records import Comparison, Configuration, Level, Probe
from seg_jax.report.statistics import Summary
from seg_jax.report.style import HEIGHT, WIDTH, Plot
from seg_jax.report.tables import level_text

_SMOOTHED_SHARE = 0.1
"""Of the logged points, how many the moving average spans."""


def learning(
    comparison: Comparison, key: str, what: str, scale: float, *, smoothed: bool
) -> Plot | None:
    """A logged quantity against the training step, mean over seeds with a band of one std."""
    bands: list[tuple[Configuration, Band]] = []
    for c in comparison.configurations:
        # A seed that failed early would cut the curve of the others short.
        trials = [t for t in c.trials if t.result is not None] or c.trials
        curves = [curve for t in trials if (curve := read_curve(t.folder, key)) is not None]
        longest = max((len(curve.steps) for curve in curves), default=0)
        window = max(1, round(_SMOOTHED_SHARE * longest)) if smoothed else 1
        band = average(curves, window=window)
        if band is not None and len(band.steps) > 1:
            bands.append((c, band))
    if not bands:
        return None
    figure, ax = style.axes(WIDTH, HEIGHT)
    for c, band in bands:
        shade = style.colour(c.position)
        mean, std = band.mean * scale, band.std * scale
        if smoothed:
            ax.plot(band.steps, band.raw * scale, color=shade, linewidth=0.7, alpha=0.25)
        if band.num_seeds > 1:
            ax.fill_between(band.steps, mean - std, mean + std, color=shade, alpha=0.15, lw=0)
        ax.plot(band.steps, mean, color=shade, linestyle=style.dashes(c.position))
    if smoothed:
        # The first steps and rare spikes would flatten everything that matters.
        every = np.concatenate([band.raw[len(band.raw) // 20 :] for _, band in bands]) * scale
        low, high = float(every.min()), float(np.percentile(every, 99.5))
        margin = 0.05 * (high - low) or 0.05
        ax.set_ylim(low - margin, high + margin)
    ax.margins(x=0)
    ax.set(xlabel="training step", ylabel=what)
    ends = [(c.label, band.mean[-1] * scale, style.colour(c.position)) for c, band in bands]
    labels.at_line_ends(ax, ends, axes_height=HEIGHT - 0.6)
    faint = "; the unsmoothed mean is drawn faintly" if smoothed else ""
    caption = f"Mean over seeds, with a band of one standard deviation{faint}."
    return Plot(f"learning_{key}", f"{what} against training step", caption, figure)


def probe(comparison: Comparison, factor: Probe) -> Plot | None:
    """MIoU of the probed classes against the level of one factor."""
    lines = {
        c: [c.probe_miou(factor.factor, level) for level in factor.levels]
        for c in comparison.finished
    }
    unit = f" ({factor.unit})" if factor.unit else ""
    return _levels(f"probe_{factor.factor}", f"{factor.title}{unit}", factor.levels, lines)


def boundary(comparison: Comparison) -> Plot | None:
    """MIoU inside a band around true boundaries against the half-width of the band."""
    widths = comparison.boundary_widths
    lines = {c: [c.boundary_miou(width) for width in widths] for c in comparison.finished}
    return _levels("boundary", "distance to the nearest boundary, at most (px)", widths, lines)


def _levels(
    name: str,
    what: str,
    levels: Sequence[Level],
    lines: dict[Configuration, list[Summary | None]],
) -> Plot | None:
    """MIoU against levels: a line per configuration with a band of one standard deviation."""
    if len(levels) < 2 or not any(summary for line in lines.values() for summary in line):
        return None
    numeric = all(isinstance(level, int | float) for level in levels)
    places = np.array([float(x) for x in levels] if numeric else range(len(levels)), dtype=float)
    figure, ax = style.axes(WIDTH, HEIGHT)
    ends = []
    for c, line in lines.items():
        kept = [(x, s.scaled(100.0)) for x, s in zip(places, line, strict=True) if s]
        if not kept:
            continue
        x = np.array([place for place, _ in kept])
        mean = np.array([summary.mean for _, summary in kept])
        std = np.array([summary.std or 0.0 for _, summary in kept])
        shade = style.colour(c.position)
        ax.fill_between(x, mean - std, mean + std, color=shade, alpha=0.15, lw=0)
        ax.plot(
            x,
            mean,
            color=shade,
            marker=style.marker(c.position),
            linestyle=style.dashes(c.position),
        )
        ends.append((c.label, float(mean[-1]), shade))
    if numeric and places[0] > 0 and places[-1] >= 6 * places[0]:
        ax.set_xscale("log")
    ax.set_xticks(places, [level_text(level, "") for level in levels])
    ax.xaxis.minorticks_off()
    ax.set(xlabel=what, ylabel="mIoU (%)")
    ax.set_ylim(*ax.get_ylim())
    labels.at_line_ends(ax, ends, axes_height=HEIGHT - 0.6)
    caption = "Mean over seeds, with a band of one standard deviation."
    return Plot(name, f"mIoU against {what}", caption, figure)
