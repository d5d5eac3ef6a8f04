"""Figures with a mark per configuration: accuracy against cost, per class, and speed."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator

from seg_jax.report import labels, style
from seg_jax.report.records import Comparison
from seg_jax.report.statistics import Summary
from seg_jax.report.style import HEIGHT, WIDTH, Plot

_MOST_CLASSES = 40


def cost(comparison: Comparison, key: str, what: str, scale: float) -> Plot | None:
    """MIoU against what a configuration costs."""
    found = [
        (c, amount.mean * scale, miou.scaled(100.0))
        for c in comparison.finished
        if (amount := c.number(key)) is not None and (miou := c.metric("miou")) is not None
    ]
    if not found:
        return None
    figure, ax = style.axes(WIDTH, HEIGHT)
    for c, amount, miou in found:
        ax.errorbar(
            amount,
            miou.mean,
            yerr=miou.std,
            color=style.colour(c.position),
            marker=style.marker(c.position),
            markersize=7,
            linewidth=1.2,
        )
    amounts = [amount for _, amount, _ in found]
    if max(amounts) > 8 * min(amounts):
        ax.set_xscale("log")
        _plain_log_ticks(ax)
    ax.margins(x=0.16, y=0.16)
    ax.set(xlabel=what, ylabel="mIoU (%)")
    points = [(c.label, a, miou.mean, style.colour(c.position)) for c, a, miou in found]
    labels.beside_points(ax, points, axes_size=(HEIGHT - 0.6, WIDTH - 0.7))
    caption = "Up and to the left is better. Bars are one standard deviation over seeds."
    return Plot(f"miou_{key}", f"mIoU against {what}", caption, figure)


def per_class(comparison: Comparison) -> Plot | None:
    """IoU of each class: one row per class, one dot per configuration."""
    found = comparison.finished
    scored = [
        (name, {c: iou.scaled(100.0) for c in found if (iou := c.class_iou(name)) is not None})
        for name in comparison.classes
    ]
    scored = [(name, by_configuration) for name, by_configuration in scored if by_configuration]
    if not scored:
        return None
    caption = "Bars are one standard deviation over seeds."
    if len(scored) > _MOST_CLASSES:
        caption = f"The {_MOST_CLASSES} of {len(scored)} classes that differ most. {caption}"
        kept = sorted(scored, key=lambda row: -_range(list(row[1].values())))[:_MOST_CLASSES]
        scored = [row for row in scored if row in kept]
    height = max(HEIGHT, 1.0 + 0.34 * len(scored))
    figure, ax = style.axes(WIDTH, height)
    for c in found:
        offset = ((found.index(c) + 0.5) / len(found) - 0.5) * 0.6
        rows = [(y, row[1][c]) for y, row in enumerate(scored) if c in row[1]]
        ax.errorbar(
            [iou.mean for _, iou in rows],
            [y + offset for y, _ in rows],
            xerr=[iou.std or 0.0 for _, iou in rows],
            color=style.colour(c.position),
            marker=style.marker(c.position),
            linestyle="none",
            elinewidth=1.0,
            label=labels.wrap(c.label),
        )
    for y in range(len(scored) - 1):
        ax.axhline(y + 0.5, color=style.GRID, linewidth=0.7)
    ax.set_yticks(range(len(scored)), [name for name, _ in scored], color=style.INK)
    ax.set_ylim(len(scored) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.set_xlim(-2, 102)  # bars of few seeds reach beyond what an IoU can be
    ax.set_xlabel("IoU (%)")
    figure.legend(loc="outside upper left", ncols=3, handletextpad=0.2, columnspacing=1.2)
    return Plot("iou_per_class", "IoU of each class", caption, figure)


def speed(comparison: Comparison) -> Plot | None:
    """Images per second in inference and in training."""
    kinds = (
        ("inference", "inference_images_per_second", 1.0),
        ("training", "images_per_second", 0.45),
    )
    found = [c for c in comparison.finished if any(c.number(key) for _, key, _ in kinds)]
    if not found:
        return None
    figure, ax = style.axes(WIDTH, max(2.0, 0.9 + 0.5 * len(found)))
    for row, c in enumerate(found):
        for side, (kind, key, alpha) in zip((-0.19, 0.19), kinds, strict=True):
            rate = c.number(key)
            if rate is None:
                continue
            shade = style.colour(c.position)
            ax.barh(row + side, rate.mean, 0.34, color=shade, alpha=alpha)
            ax.annotate(
                f"{rate.mean:.3g} {kind}",
                (rate.mean, row + side),
                xytext=(4, 0),
                textcoords="offset points",
                fontsize=8,
                color=style.MUTED,
                verticalalignment="center",
            )
    ax.set_yticks(range(len(found)), [labels.wrap(c.label) for c in found], color=style.INK)
    ax.set_ylim(len(found) - 0.5, -0.5)
    ax.margins(x=0.28)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("images per second")
    caption = "Longer is faster. Trials that ran side by side shared the machine."
    return Plot("speed", "Images per second", caption, figure)


def _plain_log_ticks(ax: Axes) -> None:
    """Ticks at 1, 2 and 5 times powers of ten, written out."""
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.minorticks_off()


def _range(summaries: Sequence[Summary]) -> float:
    means = [summary.mean for summary in summaries]
    return max(means) - min(means)
