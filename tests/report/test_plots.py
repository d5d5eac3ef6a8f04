"""Figures: what is drawn where, for full, partial and single-seed sweeps."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from seg_jax.report import style
from seg_jax.report.collect import read_sweep
from seg_jax.report.dot_plots import cost
from seg_jax.report.html import TEMPLATES
from seg_jax.report.line_plots import probe
from seg_jax.report.plots import all_plots

EVERY = [
    "miou_flops",
    "miou_num_parameters",
    "iou_per_class",
    "probe_size",
    "boundary",
    "speed",
    "learning_loss",
    "learning_miou",
]


def test_every_figure_is_drawn_and_follows_the_theme(make_sweep, toy):
    plots = all_plots(read_sweep(make_sweep()).comparisons[0])
    assert [plot.name for plot in plots] == EVERY
    svg = style.to_svg(plots[0].figure, prefix="a", title='x < "y"')
    root = ET.fromstring(svg)
    assert root.get("aria-label") == 'x < "y"'
    texts = {"".join(node.itertext()).strip() for node in root.iter() if node.tag.endswith("text")}
    assert set(toy.labels) <= texts
    assert "var(--series-0, #0072b2)" in svg
    assert "var(--ink," in svg or "var(--muted," in svg
    assert all(i.startswith("a-") for i in (n.get("id") for n in root.iter()) if i)
    assert style.to_png(plots[0].figure).startswith(b"\x89PNG")


def test_a_probe_line_has_the_mean_in_percent_at_every_level(make_sweep, toy):
    comparison = read_sweep(make_sweep()).comparisons[0]
    with style.styled():
        figure = probe(comparison, comparison.probes[0]).figure
    lines = [line for line in figure.axes[0].lines if line.get_marker() != "None"]
    assert len(lines) == len(toy.labels)
    for position, (label, line) in enumerate(zip(toy.labels, lines, strict=True)):
        mean = 50 * (toy.miou(label, 0) + toy.miou(label, 1))
        np.testing.assert_allclose(line.get_xdata(), [6, 12])  # no seed has a number at 24
        np.testing.assert_allclose(line.get_ydata(), [mean - 30, mean])
        assert line.get_color() == style.colour(position)


def test_levels_that_are_names_are_spaced_evenly(make_sweep, folder_of):
    workdir = make_sweep(labels=("fcn8s",), seeds=1)
    path = folder_of(workdir, "fcn8s", 0) / "result.json"
    result = json.loads(path.read_text())
    result["probes"][0] |= {"levels": ["smooth", "striped"], "miou": [0.5, 0.6], "unit": ""}
    path.write_text(json.dumps(result))
    comparison = read_sweep(workdir).comparisons[0]
    with style.styled():
        axes = probe(comparison, comparison.probes[0]).figure.axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["smooth", "striped"]
    assert axes.get_xticks().tolist() == [0, 1]


def test_no_results_draw_only_what_was_logged(make_sweep, folder_of):
    workdir = make_sweep(labels=("fcn8s",), seeds=1)
    (folder_of(workdir, "fcn8s", 0) / "result.json").unlink()
    plots = all_plots(read_sweep(workdir).comparisons[0])
    assert [plot.name for plot in plots] == ["learning_loss", "learning_miou"]


def test_a_cost_that_spans_decades_gets_a_log_axis(make_sweep, folder_of):
    workdir = make_sweep(seeds=1)
    path = folder_of(workdir, "fcn8s", 0) / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"flops": 10**7}))
    comparison = read_sweep(workdir).comparisons[0]
    with style.styled():
        assert cost(comparison, "flops", "GFLOPs", 1e-9).figure.axes[0].get_xscale() == "log"
        assert cost(comparison, "num_parameters", "M", 1e-6).figure.axes[0].get_xscale() == "linear"


@pytest.mark.parametrize("position", range(32))
def test_no_two_configurations_look_alike(position):
    look = (style.colour(position), str(style.dashes(position)))
    others = {(style.colour(i), str(style.dashes(i))) for i in range(32) if i != position}
    assert look not in others


def test_the_page_defines_every_colour_for_light_and_dark():
    css = (TEMPLATES / "style.css").read_text()
    light, dark = css.split("@media (prefers-color-scheme: dark)")
    for number, shade in enumerate(style.SERIES):
        assert f"--series-{number}: {shade};" in light
        assert f"--series-{number}: #" in dark
