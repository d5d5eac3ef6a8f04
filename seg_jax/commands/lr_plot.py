"""The figure of the learning-rate finder."""

import matplotlib.ticker as ticker
from matplotlib.figure import Figure

from seg_jax.report import style
from seg_jax.train.find_lr import RangeTest, Suggestion


def lr_figure(curve: RangeTest, suggestion: Suggestion | None) -> Figure:
    """Draws loss against learning rate, and where the suggestions lie.

    Args:
        curve: what was measured.
        suggestion: what is marked; None where the curve suggests nothing.
    """
    with style.styled():
        figure, ax = style.axes(style.WIDTH, style.HEIGHT)
        ax.set_xscale("log")
        shade = style.colour(0)
        ax.plot(curve.rates, curve.losses, color=shade, linewidth=0.7, alpha=0.35)
        ax.plot(curve.smoothed_rates, curve.smoothed_losses, color=shade)
        # The explosion would flatten the fall that matters.
        low, high = float(curve.losses.min()), float(curve.smoothed_losses[0])
        low = min(low, high)
        margin = 0.08 * max(high - low, 0.1 * abs(high))
        ax.set_ylim(low - margin, high + 3 * margin)
        first, last = float(curve.rates[0]), max(float(curve.rates[-1]), 10 * float(curve.rates[0]))
        ax.set_xlim(first, last)
        if suggestion is not None:
            marks = ((suggestion.steepest, "steepest"), (suggestion.tenth, "lowest / 10"))
            for position, (rate, name) in enumerate(marks, start=1):
                if not first <= rate <= last:
                    continue
                tone = style.colour(position)
                ax.axvline(rate, color=tone, linewidth=1.2, linestyle=style.DASHES[position])
                left = rate**2 < first * last
                ax.annotate(
                    f"{name}: {short(rate)}",
                    (rate, 1.0 - 0.08 * position),
                    xycoords=("data", "axes fraction"),
                    xytext=(5 if left else -5, 0),
                    textcoords="offset points",
                    horizontalalignment="left" if left else "right",
                    color=tone,
                    bbox={"facecolor": style.PAPER, "edgecolor": "none", "pad": 1.5},
                )
        ax.xaxis.set_major_formatter(ticker.FuncFormatter(lambda rate, _: short(rate)))
        ax.xaxis.set_minor_locator(ticker.NullLocator())
        ax.set(xlabel="learning rate", ylabel="loss of the batch")
        style.freeze(figure)
    return figure


def short(rate: float) -> str:
    """Returns two digits and the exponent, as one types it: 1.8e-2."""
    digits, _, exponent = f"{rate:.1e}".partition("e")
    return f"{digits.removesuffix('.0')}e{int(exponent)}"
