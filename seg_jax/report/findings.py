"""Sentences with numbers: who leads, by how much, and whether that is more than noise.

Two means are called different when they lie further apart than the standard deviation of the
difference between one run of each, sqrt(std_a^2 + std_b^2). With two or three seeds that is a
rough guide and no test of significance, and the page says so.
"""

import dataclasses
from collections.abc import Callable, Sequence

from seg_jax.report.records import Comparison, Configuration, Level, Probe
from seg_jax.report.statistics import Summary, noise_of_difference
from seg_jax.report.tables import level_text


@dataclasses.dataclass(frozen=True)
class Ranking:
    """Configurations by one score in percent, best first; at least one."""

    entries: tuple[tuple[Configuration, Summary], ...]

    @property
    def lead(self) -> float:
        """Points between the first and the second."""
        return self.entries[0][1].mean - self.entries[1][1].mean

    @property
    def range(self) -> float:
        """Points between the first and the last."""
        return self.entries[0][1].mean - self.entries[-1][1].mean

    @property
    def noise_of_lead(self) -> float | None:
        """Standard deviation of the difference between the first two, if both have seeds."""
        return noise_of_difference(self.entries[0][1], self.entries[1][1])

    @property
    def noise_of_range(self) -> float | None:
        """Standard deviation of the difference between first and last, if both have seeds."""
        return noise_of_difference(self.entries[0][1], self.entries[-1][1])


def rank(
    found: Sequence[Configuration], read: Callable[[Configuration], Summary | None]
) -> Ranking | None:
    """Orders configurations by a fraction, best first; None where no one has it."""
    entries = [(c, score.scaled(100.0)) for c in found if (score := read(c)) is not None]
    entries.sort(key=lambda entry: -entry[1].mean)
    return Ranking(tuple(entries)) if entries else None


def overall(comparison: Comparison) -> list[str]:
    """Who leads on mIoU, by how much, and what the best costs against the cheapest."""
    ranking = rank(comparison.finished, lambda c: c.metric("miou"))
    if ranking is None:
        return []
    best, score = ranking.entries[0]
    if len(ranking.entries) == 1:
        return [f"{best.label} reaches {_value(score)} mIoU; there is nothing to compare it with."]
    second, _ = ranking.entries[1]
    last, lowest = ranking.entries[-1]
    sentences = [
        f"{best.label} has the highest mIoU, {_value(score)}: {ranking.lead:.1f} points above "
        f"{second.label}, {_verdict(ranking.lead, ranking.noise_of_lead)}."
    ]
    if len(ranking.entries) > 2:
        sentences.append(
            f"First and last ({last.label}, {_value(lowest)}) are {ranking.range:.1f} points "
            f"apart, {_verdict(ranking.range, ranking.noise_of_range)}."
        )
    equals = [
        c.label
        for (c, other) in ranking.entries[1:]
        if (noise := noise_of_difference(score, other)) is not None
        and score.mean - other.mean <= noise
    ]
    if equals:
        sentences.append(f"Not told apart from {best.label} by these seeds: {', '.join(equals)}.")
    cheapest = min(
        (c for c, _ in ranking.entries if c.number("flops")),
        key=lambda c: _mean(c.number("flops")),
        default=None,
    )
    if cheapest is not None and cheapest is not best and best.number("flops"):
        ratio = _mean(best.number("flops")) / _mean(cheapest.number("flops"))
        sentences.append(
            f"{best.label} takes {ratio:.2g} times the FLOPs of {cheapest.label}, the cheapest."
        )
    return sentences


def on_probe(comparison: Comparison, probe: Probe) -> list[str]:
    """Where a probe separates the configurations most, and who leads at its two ends."""
    return _on_levels(
        comparison,
        probe.levels,
        lambda c, level: c.probe_miou(probe.factor, level),
        lambda level: f"at {level_text(level, probe.unit)}",
    )


def on_boundary(comparison: Comparison) -> list[str]:
    """Who is best close to boundaries, and who loses most there against all pixels."""
    widths = comparison.boundary_widths
    sentences = _on_levels(
        comparison,
        widths,
        lambda c, width: c.boundary_miou(int(width)),
        lambda width: f"within {width} px of a boundary",
    )
    losses = []
    for c in comparison.finished:
        near, everywhere = (c.boundary_miou(widths[0]) if widths else None), c.metric("miou")
        if near is not None and everywhere is not None:
            losses.append((100 * (everywhere.mean - near.mean), c.label))
    if len(losses) > 1:
        (least, keeper), (most, loser) = min(losses), max(losses)
        sentences.append(
            f"Against all pixels, {loser} loses most within {widths[0]} px of a boundary "
            f"({most:.1f} points) and {keeper} least ({least:.1f})."
        )
    return sentences


def on_classes(comparison: Comparison) -> list[str]:
    """The classes that separate the configurations most and least."""
    rankings = [
        (name, ranking)
        for name in comparison.classes
        if (ranking := rank(comparison.finished, lambda c, name=name: c.class_iou(name)))
        and len(ranking.entries) > 1
    ]
    if not rankings:
        return []
    name, widest = max(rankings, key=lambda row: row[1].range)
    calm, narrowest = min(rankings, key=lambda row: row[1].range)
    best, last = widest.entries[0], widest.entries[-1]
    sentences = [
        f"{name} separates the architectures most: {best[0].label} {_value(best[1])}, "
        f"{last[0].label} {_value(last[1])}, {widest.range:.1f} points apart, "
        f"{_verdict(widest.range, widest.noise_of_range)}."
    ]
    if calm != name:
        sentences.append(
            f"{calm} separates them least: {narrowest.range:.1f} points between "
            f"{narrowest.entries[0][0].label} and {narrowest.entries[-1][0].label}."
        )
    hardest = min(rankings, key=lambda row: row[1].entries[0][1].mean)
    leader = hardest[1].entries[0]
    sentences.append(
        f"{hardest[0]} is the hardest class: even {leader[0].label} stays at {_value(leader[1])}."
    )
    return sentences


def _on_levels(
    comparison: Comparison,
    levels: Sequence[Level],
    read: Callable[[Configuration, Level], Summary | None],
    where: Callable[[Level], str],
) -> list[str]:
    rankings = [
        (level, ranking)
        for level in levels
        if (ranking := rank(comparison.finished, lambda c, level=level: read(c, level)))
        and len(ranking.entries) > 1
    ]
    if not rankings:
        return []
    level, widest = max(rankings, key=lambda row: row[1].range)
    best, last = widest.entries[0], widest.entries[-1]
    sentences = [
        f"The gap is widest {where(level)}: {best[0].label} {_value(best[1])}, {last[0].label} "
        f"{_value(last[1])}, {widest.range:.1f} points apart, "
        f"{_verdict(widest.range, widest.noise_of_range)}."
    ]
    ends = [rankings[0], rankings[-1]] if len(rankings) > 1 else []
    for end, ranking in ends:
        if end == level and len(ranking.entries) == 2:
            continue
        leader, second = ranking.entries[0][0].label, ranking.entries[1][0].label
        place = where(end)
        sentences.append(
            f"{place[0].upper()}{place[1:]}, {leader} leads {second} by {ranking.lead:.1f} "
            f"points, {_verdict(ranking.lead, ranking.noise_of_lead)}."
        )
    return sentences


def _verdict(difference: float, noise: float | None) -> str:
    """Sets a difference in points against the noise between seeds."""
    if noise is None:
        return "with seed noise unknown"
    if difference > noise:
        return f"more than seed noise ({noise:.1f})"
    return f"within seed noise ({noise:.1f}), so no difference"


def _value(score: Summary) -> str:
    std = score.std
    text = f"{score.mean:.1f} %" if std is None else f"{score.mean:.1f} ± {std:.1f} %"
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _mean(summary: Summary | None) -> float:
    return summary.mean if summary is not None else float("inf")
