"""The diagnosis as text for a terminal of 80 columns: findings first, then the tables."""

from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from seg_jax.data.doctor.facts import SplitFacts
from seg_jax.data.doctor.finding import Finding
from seg_jax.doctor.diagnosis import Diagnosis
from seg_jax.doctor.words import describe_place, size_range, verdict

COLOURS = {"fault": "bold red", "warning": "yellow", "note": "dim"}

MOST_CLASSES = 24
"""Classes up to which all are shown; of more, the ends of the list."""

_ENDS = 10
_MOST_SPLITS = 2
_NONE = "-"


def to_terminal(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    """Yields what to print, one after the other."""
    yield Text(f"{diagnosis.spec.name}  {describe_place(diagnosis)}", style="bold")
    yield Text(verdict(diagnosis), style="green" if diagnosis.sound else "bold red")
    for finding in diagnosis.findings:
        yield from _finding(finding)
    if diagnosis.examined:
        yield Text("")
        yield _splits(diagnosis)
    if any(any(facts.pixels) for facts in diagnosis.facts.values()):
        yield from _classes(diagnosis)


def _finding(finding: Finding) -> Iterator[RenderableType]:
    head = Text()
    head.append(finding.severity, style=COLOURS[finding.severity])
    head.append(f"  {finding.kind}" + (f" ({finding.split})" if finding.split else ""))
    yield Text("")
    yield head
    remedy = f"-> {finding.remedy}" if finding.remedy else ""
    for text, style in ((finding.sentence, ""), (finding.detail, "dim"), (remedy, "")):
        if text:
            yield Padding(Text(text, style=style), (0, 0, 0, 2), expand=False)


def _splits(diagnosis: Diagnosis) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Splits", title_justify="left", title_style="bold")
    table.add_column("split", overflow="fold")
    for title in ("examples", "published", "faulty", "ignored"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("height x width")
    for split, facts in diagnosis.facts.items():
        table.add_row(
            Text(split),
            f"{facts.count:,}",
            f"{facts.published:,}" if facts.published else _NONE,
            f"{len(facts.faults):,}" if facts.faults else _NONE,
            f"{facts.ignored_share:.1%}",
            size_range(facts.sizes),
        )
    return table


def _classes(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    facts = diagnosis.facts
    weighed = facts[diagnosis.weighed]
    others = [f for f in facts.values() if f.name != weighed.name and not f.unlabelled]
    columns = [weighed, *others][:_MOST_SPLITS]
    table = Table(box=box.SIMPLE_HEAD, title="Classes", title_justify="left", title_style="bold")
    table.add_column("id", justify="right")
    table.add_column("class", overflow="ellipsis", no_wrap=True, max_width=24)
    for one in columns:
        table.add_column(Text(f"{one.name} %"), justify="right")
    table.add_column("images", justify="right")
    table.add_column("median\nfreq.", justify="right")
    table.add_column("ENet", justify="right")
    median, enet = diagnosis.median_frequency, diagnosis.enet
    rows = _shown(weighed)
    for k in rows:
        if k is None:
            table.add_row("", f"... {len(weighed.shares) - len(rows) + 1} more ...")
            continue
        table.add_row(
            str(k),
            Text(diagnosis.spec.classes[k]),
            *(_percent(one, k) for one in columns),
            f"{weighed.present[k]:,}",
            _weight(median[k]),
            _weight(enet[k]),
        )
    yield table
    yield Text(
        f"Share of the pixels that count, by frequency in {weighed.name}; images of it that show "
        f"the class; suggested weights of a loss, from {weighed.name}.",
        style="dim",
    )


def _shown(facts: SplitFacts) -> list[int | None]:
    """Returns the classes by frequency; of many, the most frequent, None, and the rarest."""
    ranks = sorted(range(len(facts.shares)), key=lambda k: -facts.pixels[k])
    if len(ranks) <= MOST_CLASSES:
        return list(ranks)
    # Absent ones are in the findings and on the page.
    there = [k for k in ranks if facts.pixels[k]]
    return [*there[:_ENDS], None, *there[_ENDS:][-_ENDS:]]


def _percent(facts: SplitFacts, k: int) -> str:
    share = 100 * facts.shares[k]
    if not facts.pixels[k]:
        return "absent"
    return f"{share:.2f}" if share >= 0.005 else "<0.01"


def _weight(value: float | None) -> str:
    return _NONE if value is None else f"{value:.4g}"
