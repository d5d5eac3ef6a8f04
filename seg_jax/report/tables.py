"""The tables of a comparison: main, per class, boundary, and one per probed factor."""

from collections.abc import Sequence

from seg_jax.report.records import Comparison, Configuration, Level
from seg_jax.report.statistics import Summary
from seg_jax.report.table import (
    MISSING,
    Cell,
    Column,
    Table,
    duration,
    measured,
    percent,
    rows,
    significant,
)

NAME = Column("Architecture")
SEEDS_NOTE = (
    "Mean ± sample standard deviation (n - 1) over seeds; no ± where there is one seed. "
    "Bold is the best value shown; a difference smaller than the standard deviations is no "
    "difference."
)


def all_tables(comparison: Comparison) -> list[Table]:
    """Returns every table that the results of a comparison fill."""
    tables = [main_table(comparison), class_table(comparison), boundary_table(comparison)]
    return [t for t in tables if len(t.columns) > 1] + probe_tables(comparison)


def main_table(comparison: Comparison) -> Table:
    """Accuracy, cost and how it was run: one row per configuration, finished or not."""
    found = comparison.configurations
    widths = comparison.boundary_widths
    sizes = _image_sizes(found)
    accuracy = {
        "mIoU": [c.metric("miou") for c in found],
        "pixel acc.": [c.metric("pixel_accuracy") for c in found],
        "mean acc.": [c.metric("mean_accuracy") for c in found],
        "fwIoU": [c.metric("frequency_weighted_iou") for c in found],
    }
    if widths:
        accuracy[f"boundary {widths[0]}\N{NO-BREAK SPACE}px"] = [
            c.boundary_miou(widths[0]) for c in found
        ]
    columns = [NAME]
    cells = [_names(found)]
    for title, summaries in accuracy.items():
        columns.append(Column(title, "Accuracy (%)", best="max"))
        cells.append(measured(columns[-1], _percent(summaries), percent))
    costs = (
        (Column("params (M)", "Cost", "min"), [c.number("num_parameters") for c in found], 1e-6),
        (Column("GFLOPs", "Cost", "min"), [c.number("flops") for c in found], 1e-9),
        (
            Column("infer. img/s", "Cost", "max"),
            [c.number("inference_images_per_second") for c in found],
            1.0,
        ),
        (Column("train img/s", "Cost", "max"), [c.number("images_per_second") for c in found], 1.0),
    )
    for column, summaries, scale in costs:
        columns.append(column)
        scaled = [s.scaled(scale) if s else None for s in summaries]
        cells.append(measured(columns[-1], scaled, significant, spread=False))
    columns.append(Column("train time", "Cost", best="min"))
    times = [c.number("train_seconds") for c in found]
    cells.append(measured(columns[-1], times, duration, spread=False))
    for title, texts in _run_columns(found).items():
        columns.append(Column(title, "Run"))
        cells.append([Cell(text) for text in texts])
    notes = [SEEDS_NOTE]
    if len(sizes) == 1:
        notes.append(f"FLOPs of one forward pass on one {sizes[0]} image, 2 per multiply-add.")
    elif sizes:
        notes.append(f"FLOPs are for images of different sizes: {', '.join(sizes)}.")
    if widths:
        notes.append(f"Boundary: mIoU within {widths[0]} px of a true class boundary.")
    return Table("main", "Comparison", tuple(columns), rows(cells), tuple(notes))


def class_table(comparison: Comparison) -> Table:
    """IoU of every class, over the seeds in which the class is defined."""
    found = comparison.finished
    columns, cells = [NAME], [_names(found)]
    _add(columns, cells, Column("mIoU", "IoU (%)", best="max"), [c.metric("miou") for c in found])
    absent, partly = [], []
    for name in comparison.classes:
        summaries = [c.class_iou(name) for c in found]
        _add(columns, cells, Column(name, "IoU (%)", best="max", shaded=True), summaries)
        if not any(summaries):
            absent.append(name)
            continue
        for configuration, summary in zip(found, summaries, strict=True):
            have, of = len(summary.values) if summary else 0, len(configuration.results)
            if have < of:
                partly.append(f"{name} of {configuration.label} ({have} of {of} seeds)")
    notes = [SEEDS_NOTE]
    if absent:
        notes.append(
            f"In neither labels nor predictions, so left out of mIoU: {', '.join(absent)}."
        )
    if partly:
        notes.append(f"Defined in some seeds only: {', '.join(partly)}.")
    return Table("per_class", "IoU per class", tuple(columns), rows(cells), tuple(notes))


def boundary_table(comparison: Comparison) -> Table:
    """Boundary mIoU against the width of the band, beside mIoU over all pixels."""
    found = comparison.finished
    columns, cells = [NAME], [_names(found)]
    for width in comparison.boundary_widths:
        column = Column(f"{width} px", "mIoU (%) within", best="max", shaded=True)
        _add(columns, cells, column, [c.boundary_miou(width) for c in found])
    if comparison.boundary_widths:
        column = Column("all pixels", "mIoU (%) within", best="max", shaded=True)
        _add(columns, cells, column, [c.metric("miou") for c in found])
    note = "A band of w px holds the pixels at most w px from another class in the labels."
    return Table("boundary", "Boundary quality", tuple(columns), rows(cells), (note, SEEDS_NOTE))


def probe_tables(comparison: Comparison) -> list[Table]:
    """One table per probed factor: mIoU of the probed classes at each of its levels."""
    found, tables = comparison.finished, []
    for probe in comparison.probes:
        columns, cells = [NAME], [_names(found)]
        for level in probe.levels:
            column = Column(level_text(level, probe.unit), "mIoU (%) at", "max", shaded=True)
            _add(columns, cells, column, [c.probe_miou(probe.factor, level) for c in found])
        notes = [probe.description] if probe.description else []
        if probe.classes:
            notes.append(f"Classes: {', '.join(probe.classes)}.")
        tables.append(
            Table(
                name=f"probe_{probe.factor}",
                title=f"Probe: {probe.title}",
                columns=tuple(columns),
                rows=rows(cells),
                notes=(*notes, SEEDS_NOTE),
            )
        )
    return tables


def level_text(level: Level, unit: str) -> str:
    """Writes a level with its unit, such as "6 px"."""
    text = level if isinstance(level, str) else f"{level:g}"
    return f"{text} {unit}".strip()


def _add(
    columns: list[Column],
    cells: list[list[Cell]],
    column: Column,
    summaries: Sequence[Summary | None],
) -> None:
    columns.append(column)
    cells.append(measured(column, _percent(summaries), percent))


def _percent(summaries: Sequence[Summary | None]) -> list[Summary | None]:
    return [summary.scaled(100.0) if summary else None for summary in summaries]


def _names(found: Sequence[Configuration]) -> list[Cell]:
    return [Cell(configuration.label) for configuration in found]


def _run_columns(found: Sequence[Configuration]) -> dict[str, list[str]]:
    """How each configuration was run, as text: several values mean that its seeds differ."""

    def joined(c: Configuration, key: str) -> str:
        return ", ".join(c.values(key)) or MISSING

    return {
        "steps": [joined(c, "num_steps") for c in found],
        "batch": [joined(c, "global_batch_size") for c in found],
        "weights": [_weights(c) for c in found],
        "seeds": [_seeds(c) for c in found],
    }


def _weights(configuration: Configuration) -> str:
    if not configuration.results:
        return MISSING
    named = [str(result.get("weights") or "random") for result in configuration.results]
    return ", ".join(dict.fromkeys(named))


def _seeds(configuration: Configuration) -> str:
    done, planned = len(configuration.results), len(configuration.trials)
    return str(done) if done == planned else f"{done} of {planned}"


def _image_sizes(found: Sequence[Configuration]) -> list[str]:
    """The sizes at which FLOPs were counted, as "height x width"."""
    sizes = [
        "\N{MULTIPLICATION SIGN}".join(map(str, result["image_size"]))
        for configuration in found
        for result in configuration.results
        if isinstance(result.get("image_size"), list)
    ]
    return list(dict.fromkeys(sizes))
