"""Writes the numbers of a sweep as CSV: one file by configuration, one by trial."""

import csv
import io
import json
from collections.abc import Mapping, Sequence

from seg_jax.report.records import Comparison, Configuration, Sweep
from seg_jax.report.statistics import Summary, finite
from seg_jax.report.tables import level_text

METRICS = ("miou", "pixel_accuracy", "mean_accuracy", "frequency_weighted_iou")
NUMBERS = (
    "num_parameters",
    "flops",
    "images_per_second",
    "inference_images_per_second",
    "train_seconds",
    "compile_seconds",
)
RUN = ("num_steps", "global_batch_size", "weights", "commit")


def configurations_csv(sweep: Sweep) -> str:
    """One row per configuration: mean and standard deviation over its seeds.

    Columns ending in `_percent` are percentages; the column `<name>_std` beside each number
    is empty for a single seed. Class, boundary and probe columns are named `iou/<class>`,
    `boundary_miou/<width> px` and `<factor>/<level>`.
    """
    rows = [
        _configuration_row(comparison, configuration)
        for comparison in sweep.comparisons
        for configuration in comparison.configurations
    ]
    return _write(rows)


def trials_csv(sweep: Sweep) -> str:
    """One row per trial with its raw numbers; IoUs are fractions, as in result.json."""
    rows = []
    for trial in sweep.trials:
        result = trial.result or {}
        metrics = result.get("metrics", {})
        row: dict[str, object] = {
            "uid": trial.uid,
            "label": trial.label,
            "seed": trial.seed,
            "state": trial.state,
            "error": trial.error,
            "dataset": result.get("dataset"),
            "split": result.get("split"),
        }
        row |= {name: metrics.get(name) for name in METRICS}
        row |= {name: result.get(name) for name in (*NUMBERS, *RUN)}
        row["overrides"] = json.dumps(trial.overrides, sort_keys=True)
        row |= {f"iou/{k}": v for k, v in metrics.get("iou_per_class", {}).items()}
        row |= {f"boundary_miou/{w} px": v for w, v in result.get("boundary_miou", {}).items()}
        for probe in result.get("probes", []):
            for level, miou in zip(probe["levels"], probe["miou"], strict=True):
                row[f"{probe['factor']}/{level_text(level, str(probe.get('unit', '')))}"] = miou
        rows.append(row)
    return _write(rows)


def _configuration_row(comparison: Comparison, c: Configuration) -> dict[str, object]:
    row: dict[str, object] = {
        "dataset": comparison.dataset,
        "split": comparison.split,
        "architecture": c.label,
        "seeds": len(c.results),
        "seeds_planned": len(c.trials),
    }
    fractions = {f"{name}_percent": c.metric(name) for name in METRICS}
    fractions |= {f"iou/{name}_percent": c.class_iou(name) for name in comparison.classes}
    for width in comparison.boundary_widths:
        fractions[f"boundary_miou/{width} px_percent"] = c.boundary_miou(width)
    for probe in comparison.probes:
        for level in probe.levels:
            name = f"{probe.factor}/{level_text(level, probe.unit)}_percent"
            fractions[name] = c.probe_miou(probe.factor, level)
    for name, summary in fractions.items():
        row |= _pair(name, summary.scaled(100.0) if summary else None)
    for name in NUMBERS:
        row |= _pair(name, c.number(name))
    return row | {name: "; ".join(c.values(name)) for name in RUN}


def _pair(name: str, summary: Summary | None) -> dict[str, object]:
    return {
        name: summary.mean if summary else None,
        f"{name}_std": summary.std if summary else None,
    }


def _write(rows: Sequence[Mapping[str, object]]) -> str:
    """Writes the union of all columns; a number that is missing or not finite is left empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[_field(row.get(name)) for name in columns] for row in rows])
    return text.getvalue()


def _field(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        number = finite(value)
        return "" if number is None else f"{number:.12g}"
    return str(value)
