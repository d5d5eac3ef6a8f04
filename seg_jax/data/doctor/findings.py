"""What the facts mean: what is wrong with a dataset, or odd about it, and what to do."""

import textwrap
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from seg_jax.data.doctor.class_findings import absent_classes, ignored_pixels
from seg_jax.data.doctor.diagnose import KINDS
from seg_jax.data.doctor.examined import Examined
from seg_jax.data.doctor.facts import Fault, SplitFacts, is_for_training
from seg_jax.data.doctor.finding import Finding, by_severity, counted, listed
from seg_jax.data.doctor.leaks import repeated_images, shared_images
from seg_jax.data.doctor.reasons import values_cause
from seg_jax.data.spec import DatasetSpec

_DETAIL = 400
"""Characters kept of the message about the first faulty example; some list every value."""

_REMEDIES = {
    "missing image": "Unpack the archive again, or take these names off the split's list.",
    "missing label": "Add the labels, or take these images out of the split.",
    "empty image": "Fetch or unpack these files again; the disk may have been full.",
    "empty label": "Fetch or unpack these files again; the disk may have been full.",
    "unreadable image": "Fetch or unpack these files again.",
    "unreadable label": "Fetch or unpack these files again.",
    "huge image": "Cut them into tiles, or make them smaller, their labels with them.",
    "huge label": "Cut them into tiles, or make them smaller, their images with them.",
    "deep label": "Save the labels with 8 bits, a value a class.",
    "sizes differ": "Make the labels again at the size of the images, by nearest neighbour.",
    "refused": "Correct the files, or the dataset's description, as the message says.",
    "damaged record": "Delete the prepared dataset and run `python launch.py prepare` again.",
}


def find(
    spec: DatasetSpec, examined: Mapping[str, Examined], *, training: Collection[str] = ()
) -> list[Finding]:
    """Returns what is to be said of a dataset, the worst first.

    Args:
        spec: the dataset.
        examined: the splits that were looked at, by name.
        training: those of them that are trained on, the others being evaluated on; empty takes
            it from their names, and compares no views with what they show.
    """
    facts = {split: one.facts for split, one in examined.items()}
    found: list[Finding] = []
    for one in facts.values():
        found += [*_faults(spec, one), *_count(one), *_strays(one), *ignored_pixels(spec, one)]
    trained = training or [split for split in facts if is_for_training(split)]
    found += absent_classes(spec, facts, trained)
    stored = examined if training else {s: e for s, e in examined.items() if s not in spec.derived}
    found += [*repeated_images(examined), *shared_images(stored, trained), *_not_decoded(facts)]
    return by_severity(found)


def _faults(spec: DatasetSpec, facts: SplitFacts) -> Iterator[Finding]:
    kinds: dict[str, list[Fault]] = defaultdict(list)
    for fault in facts.faults:
        kinds[fault.kind].append(fault)
    for kind, faults in kinds.items():
        names = tuple(fault.id for fault in faults)
        yield Finding(
            "fault",
            kind,
            facts.name,
            f"{len(faults)} of {facts.count} {KINDS[kind]}: {listed(names)}.",
            _cause(spec, kind, faults),
            textwrap.shorten(faults[0].message, _DETAIL, placeholder=" ..."),
            names,
        )


def _cause(spec: DatasetSpec, kind: str, faults: Sequence[Fault]) -> str:
    if kind == "values":
        values = Counter()
        for fault in faults:
            values.update(fault.values)
        return values_cause(values, spec)
    if kind in _REMEDIES:
        return _REMEDIES[kind]
    return Counter(fault.cause for fault in faults).most_common(1)[0][0]


def _count(facts: SplitFacts) -> Iterator[Finding]:
    if not facts.count:
        yield Finding(
            "fault",
            "empty split",
            facts.name,
            "It holds no examples.",
            "Add files, or leave it out.",
        )
    elif facts.published and facts.count != facts.published:
        yield Finding(
            "fault",
            "count",
            facts.name,
            f"It holds {counted(facts.count, 'example')} where its authors state "
            f"{facts.published:,}.",
            "Complete the files (and prepare again): scores do not compare with published ones.",
        )


def missing_splits(spec: DatasetSpec, there: Sequence[str], *, prepared: bool) -> list[Finding]:
    """Returns a warning for every stored split that is not there.

    Args:
        spec: the dataset.
        there: the splits that are.
        prepared: whether they were looked at in their prepared form.
    """
    again = ", delete the prepared dataset and prepare again" if prepared else ""
    return [
        Finding(
            "warning",
            "missing split",
            split,
            "It is not there" + (f"; its authors state {count:,} examples." if count else "."),
            f"Add its files if it is needed{again}.",
        )
        for split, count in spec.splits.items()
        if split not in there
    ]


def _strays(facts: SplitFacts) -> Iterator[Finding]:
    if facts.strays:
        yield Finding(
            "warning",
            "labels without image",
            facts.name,
            f"It has {counted(len(facts.strays), 'label file')} without an image of that name: "
            f"{listed(facts.strays)}.",
            "Add the images, or remove the labels: these files are not read.",
            examples=facts.strays,
        )


def _not_decoded(facts: Mapping[str, SplitFacts]) -> Iterator[Finding]:
    if splits := [split for split, one in facts.items() if not one.decoded]:
        yield Finding(
            "note",
            "not decoded",
            ", ".join(splits),
            "The facts are those taken when it was prepared; its records were not read again.",
            "--decode=all reads every one.",
        )
