"""Which of several trained networks is better, told from the records of the same images.

A side of a comparison is a configuration: one trial, or several that differ in their seed, whose
counters are averaged image by image (`metrics.confidence` says what that covers). Imports no jax.
"""

import dataclasses
import itertools
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seg_jax.evaluate.records import read_records
from seg_jax.metrics.class_counts import class_counts, class_scores
from seg_jax.metrics.confidence import Interval, PairedTest, average, bootstrap, holm, paired_test

SIGNIFICANT = 0.05
"""Corrected p-values below this tell two networks apart."""


class ComparisonError(ValueError):
    """Evaluations that do not compare; the message names the difference."""


@dataclasses.dataclass(frozen=True, eq=False)
class Side:
    """A configuration as evaluated.

    Attributes:
        label: what it is called.
        ids: names of its images, sorted.
        counts: `class_counts` of every image in the order of `ids`, averaged over seeds.
        mious: mIoU of every seed.
        images: "dataset", "split" and the "sha256" of the split.
        classes: names of the classes.
        protocol: how it was evaluated, by field.
    """

    label: str
    ids: tuple[str, ...]
    counts: dict[str, np.ndarray]
    mious: tuple[float, ...]
    images: Mapping[str, Any]
    classes: tuple[str, ...]
    protocol: Mapping[str, Any]

    @property
    def miou(self) -> float:
        """The mIoU of the averaged counters, a fraction."""
        sums = {name: values.sum(axis=0, keepdims=True) for name, values in self.counts.items()}
        return float(class_scores(sums)["miou"][0])

    @property
    def std(self) -> float | None:
        """Sample standard deviation of the seeds' mIoU; `None` for one seed."""
        return statistics.stdev(self.mious) if len(self.mious) > 1 else None

    def interval(self, resamples: int) -> Interval | None:
        """Returns the 95 % interval of `miou` over the choice of images."""
        return bootstrap(self.counts, class_scores, resamples=resamples)["miou"]


@dataclasses.dataclass(frozen=True, eq=False)
class Pair:
    """Two sides and what their images say about them.

    Attributes:
        better: the side with the higher mIoU.
        worse: the other one.
        test: of their mIoU; its difference is not negative.
        p_value: of the test, corrected for the number of pairs.
    """

    better: Side
    worse: Side
    test: PairedTest
    p_value: float

    @property
    def told_apart(self) -> bool:
        """Whether the difference is more than the choice of images explains."""
        return self.p_value < SIGNIFICANT

    @property
    def scatter(self) -> float | None:
        """Standard deviation of the difference of one training of each; `None` if unknown."""
        if self.better.std is None or self.worse.std is None:
            return None
        return float(np.hypot(self.better.std, self.worse.std))


def read_side(label: str, evaluations: Sequence[tuple[Mapping[str, Any], Path]]) -> Side:
    """Reads the trials of one configuration.

    Args:
        label: what to call it.
        evaluations: for every seed, what `result.json` or a row of `evaluations.jsonl` says, and
            the file of its records.

    Raises:
        RecordsError: a file of records is missing or damaged.
        ComparisonError: seeds of one configuration were evaluated on other images or otherwise.
    """
    seeds = [_read_seed(label, row, path) for row, path in evaluations]
    for seed, (_, path) in zip(seeds[1:], evaluations[1:], strict=True):
        difference = find_difference(seeds[0], seed)
        if difference:
            raise ComparisonError(
                f"The seeds of {label} do not compare, as {evaluations[0][1]} and {path} show: "
                f"{difference}."
            )
    return dataclasses.replace(
        seeds[0],
        counts=average([seed.counts for seed in seeds]),
        mious=tuple(seed.miou for seed in seeds),
    )


def _read_seed(label: str, row: Mapping[str, Any], path: Path) -> Side:
    ids, counters = read_records(path)
    if "confusion" not in counters:
        raise ComparisonError(f"{path} holds no confusion matrices; evaluate the trial again.")
    order = sorted(range(len(ids)), key=ids.__getitem__)
    counts = {k: values[order] for k, values in class_counts(counters["confusion"]).items()}
    sha256 = row.get("data", {}).get("eval", {}).get("sha256", "")
    return Side(
        label=label,
        ids=tuple(ids[place] for place in order),
        counts=counts,
        mious=(),
        images={"dataset": row["dataset"], "split": row["split"], "sha256": sha256},
        classes=tuple(row["metrics"].get("iou_per_class", {})),
        protocol=row.get("protocol", {}),
    )


def find_difference(a: Side, b: Side, *, any_protocol: bool = False) -> str:
    """Says what keeps two sides from being compared; "" for nothing.

    Args:
        a: one side.
        b: another.
        any_protocol: lets protocols differ, to compare them on the same images.
    """
    for field in ("dataset", "split", "sha256"):
        if a.images[field] != b.images[field]:
            return f"{field} is {a.images[field]!r} for one and {b.images[field]!r} for the other"
    if a.classes != b.classes:
        return f"one knows {len(a.classes)} classes and the other {len(b.classes)}, or other names"
    if a.ids != b.ids:
        odd = sorted(set(a.ids) ^ set(b.ids))
        return f"{len(odd)} images were seen by one of them alone, such as {odd[0]!r}"
    if not any_protocol:
        for field in sorted(a.protocol.keys() | b.protocol.keys()):
            first, second = a.protocol.get(field), b.protocol.get(field)
            if first != second:
                return (
                    f"{field} of their protocols is {first!r} for one and {second!r} for the "
                    "other (--any_protocol compares them anyway)"
                )
    return ""


def compare(
    sides: Sequence[Side], *, resamples: int, any_protocol: bool = False
) -> tuple[list[Pair], list[str]]:
    """Tests every pair of sides that were evaluated on the same images by the same protocol.

    Returns:
        The pairs in the order of `sides`, and a sentence for every group of sides that does not
        compare with the first one.

    Raises:
        ComparisonError: there is no pair to compare.
    """
    groups: list[list[Side]] = []
    for side in sides:
        for group in groups:
            if not find_difference(group[0], side, any_protocol=any_protocol):
                group.append(side)
                break
        else:
            groups.append([side])
    apart = [
        f"{groups[0][0].label} and {group[0].label} do not compare: "
        f"{find_difference(groups[0][0], group[0], any_protocol=any_protocol)}."
        for group in groups[1:]
    ]
    tests = [
        _test(a, b, resamples) for group in groups for a, b in itertools.combinations(group, 2)
    ]
    if not tests:
        raise ComparisonError(apart[0] if apart else "It takes two configurations to compare.")
    corrected = holm([1.0 if test.p_value is None else test.p_value for _, _, test in tests])
    pairs = [Pair(*test, p_value) for test, p_value in zip(tests, corrected, strict=True)]
    return pairs, apart


def _test(a: Side, b: Side, resamples: int) -> tuple[Side, Side, PairedTest]:
    better, worse = (b, a) if b.miou > a.miou else (a, b)
    test = paired_test(better.counts, worse.counts, class_scores, resamples=resamples)["miou"]
    return better, worse, test
