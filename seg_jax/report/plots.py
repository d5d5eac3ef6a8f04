"""The figures of a comparison. A configuration has one colour and marker in all of them."""

from seg_jax.report import style
from seg_jax.report.dot_plots import cost, per_class, speed
from seg_jax.report.line_plots import boundary, learning, probe
from seg_jax.report.records import Comparison
from seg_jax.report.style import Plot


def all_plots(comparison: Comparison) -> list[Plot]:
    """Draws every figure that the files of a comparison fill, in the order of the page."""
    with style.styled():
        plots = [
            cost(comparison, "flops", "GFLOPs per image", 1e-9),
            cost(comparison, "num_parameters", "parameters (millions)", 1e-6),
            per_class(comparison),
            *(probe(comparison, factor) for factor in comparison.probes),
            boundary(comparison),
            speed(comparison),
            learning(comparison, "loss", "Training loss", 1.0, smoothed=True),
            learning(comparison, "miou", "mIoU (%)", 100.0, smoothed=False),
        ]
        drawn = [plot for plot in plots if plot is not None]
        for plot in drawn:
            style.freeze(plot.figure)
    return drawn
