"""What a report knows about a sweep: trials, configurations (their seeds) and comparisons."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from seg_jax.report.results import Result
from seg_jax.report.statistics import Summary, summarize

Level = int | float | str
"""One setting of a probed factor: a number of pixels, or a name where the factor is no number."""


@dataclasses.dataclass(frozen=True, eq=False)
class Trial:
    """One run of a sweep, finished or not.

    Attributes:
        uid: name of its folder.
        label: what its experiment calls it.
        seed: its seed; None where the plan holds none.
        overrides: what the sweep set for it, by dotted config key.
        state: "done", "unreadable" (its result is damaged), or the state in its status.json.
        error: one line, "" where nothing went wrong.
        step: the last training step that its status names.
        num_steps: how many steps it was to take.
        updated: when its status was last written, as ISO 8601 in UTC, "" when unknown.
        folder: where its files lie.
        result: its result.json; None unless it is done.
    """

    uid: str
    label: str
    seed: int | None
    overrides: Mapping[str, Any]
    state: str
    error: str
    step: int
    num_steps: int | None
    updated: str
    folder: Path
    result: Result | None


@dataclasses.dataclass(frozen=True, eq=False)
class Configuration:
    """The trials that differ in nothing but their seed: one row of every table.

    Attributes:
        label: unique within the sweep.
        position: place among the configurations of its comparison; fixes its colour.
        trials: every seed in the order of the plan, finished or not.
    """

    label: str
    position: int
    trials: tuple[Trial, ...]

    @property
    def results(self) -> tuple[Result, ...]:
        """The results of the seeds that are done, in the order of the plan."""
        return tuple(trial.result for trial in self.trials if trial.result is not None)

    def over_seeds(self, read: Callable[[Result], object]) -> Summary | None:
        """Summarises what `read` finds in each result; None where no seed has a number."""
        return summarize(read(result) for result in self.results)

    def number(self, key: str) -> Summary | None:
        """Summarises a top-level number of result.json, such as "flops".

        Zero stands for "not measured", as for the speed of an evaluation of a single batch.
        """
        return self.over_seeds(lambda result: result.get(key) or None)

    def metric(self, name: str) -> Summary | None:
        """Summarises one of the dataset-level metrics, a fraction, such as "miou"."""
        return self.over_seeds(lambda result: result["metrics"].get(name))

    def class_iou(self, name: str) -> Summary | None:
        """Summarises the IoU of one class over the seeds in which the class is defined."""
        return self.over_seeds(lambda result: result["metrics"].get("iou_per_class", {}).get(name))

    def boundary_miou(self, width: int) -> Summary | None:
        """Summarises mIoU within `width` pixels of a true boundary."""
        return self.over_seeds(lambda result: result.get("boundary_miou", {}).get(str(width)))

    def probe_miou(self, factor: str, level: Level) -> Summary | None:
        """Summarises mIoU of the probe of `factor` at one level."""

        def read(result: Result) -> object:
            for probe in result.get("probes", []):
                if probe["factor"] == factor and level in probe["levels"]:
                    return probe["miou"][probe["levels"].index(level)]
            return None

        return self.over_seeds(read)

    def values(self, key: str) -> tuple[str, ...]:
        """Returns the different values of a top-level field over the seeds, as text."""
        found = (result[key] for result in self.results if result.get(key) is not None)
        return tuple(dict.fromkeys(str(value) for value in found))


@dataclasses.dataclass(frozen=True)
class Probe:
    """One factor that a dataset varies on purpose.

    Attributes:
        factor: what is varied, such as "size".
        unit: unit of the levels, "" where they have none.
        description: one sentence for the reader.
        classes: the classes over which its mIoU is taken.
        levels: every level that a result names, ascending where they are numbers.
    """

    factor: str
    unit: str
    description: str
    classes: tuple[str, ...]
    levels: tuple[Level, ...]

    @property
    def title(self) -> str:
        """The factor in words."""
        return self.factor.replace("_", " ")


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Configurations that were evaluated on the same images, so that numbers compare.

    Attributes:
        dataset: name of the dataset, "" when unknown.
        split: the evaluated split.
        configurations: in the order of the plan.
    """

    dataset: str
    split: str
    configurations: tuple[Configuration, ...]

    @property
    def finished(self) -> tuple[Configuration, ...]:
        """The configurations with at least one result."""
        return tuple(c for c in self.configurations if c.results)

    @property
    def classes(self) -> tuple[str, ...]:
        """Every class that a result names, in the order of the dataset."""
        names = [name for result in self._results() for name in result.get("classes", [])]
        scored = [name for r in self._results() for name in r["metrics"].get("iou_per_class", {})]
        return tuple(dict.fromkeys(names + scored))

    @property
    def palette(self) -> tuple[tuple[int, int, int], ...]:
        """One (r, g, b) in 0..255 per class; empty where no result has one for every class."""
        for result in self._results():
            palette = result.get("palette", [])
            if len(palette) >= len(self.classes) > 0:
                return tuple((r, g, b) for r, g, b in palette)
        return ()

    @property
    def boundary_widths(self) -> tuple[int, ...]:
        """Half-widths in pixels at which a result has a boundary mIoU, ascending."""
        return tuple(
            sorted({int(width) for r in self._results() for width in r.get("boundary_miou", {})})
        )

    @property
    def probes(self) -> tuple[Probe, ...]:
        """Every probed factor, in the order of the first result that has it."""
        by_factor: dict[str, list[Mapping[str, Any]]] = {}
        for result in self._results():
            for probe in result.get("probes", []):
                by_factor.setdefault(probe["factor"], []).append(probe)
        return tuple(_merge(factor, found) for factor, found in by_factor.items())

    def _results(self) -> list[Result]:
        return [result for c in self.configurations for result in c.results]


@dataclasses.dataclass(frozen=True)
class Sweep:
    """A whole sweep folder.

    Attributes:
        experiment: name of its experiment.
        workdir: the folder.
        trials: every planned trial, in the order of the plan.
        comparisons: one per evaluated dataset and split.
    """

    experiment: str
    workdir: Path
    trials: tuple[Trial, ...]
    comparisons: tuple[Comparison, ...]

    @property
    def results(self) -> tuple[Result, ...]:
        """Every readable result, in the order of the plan."""
        return tuple(trial.result for trial in self.trials if trial.result is not None)


def _merge(factor: str, found: list[Mapping[str, Any]]) -> Probe:
    levels = list(dict.fromkeys(level for probe in found for level in probe["levels"]))
    if all(isinstance(level, int | float) for level in levels):
        levels.sort()
    return Probe(
        factor=factor,
        unit=str(found[0].get("unit", "")),
        description=str(found[0].get("description", "")),
        classes=tuple(str(name) for name in found[0].get("classes", [])),
        levels=tuple(levels),
    )
