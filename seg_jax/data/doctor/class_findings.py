"""What is odd about the classes of a dataset: absent, ignored, or seen on one side alone."""

from collections.abc import Collection, Iterator, Mapping

from seg_jax.data.doctor.facts import SplitFacts
from seg_jax.data.doctor.finding import Finding, listed
from seg_jax.data.doctor.reasons import binary_cause
from seg_jax.data.spec import DatasetSpec

MUCH_IGNORED = 0.5
"""Share of ignored pixels from which on a split is remarked on."""


def ignored_pixels(spec: DatasetSpec, facts: SplitFacts) -> Iterator[Finding]:
    """Yields what is odd about the pixels of a split that do not count."""
    share = facts.ignored_share
    if facts.unlabelled:
        yield Finding(
            "note", "no labels", facts.name, "Its labels are not published: every pixel is ignored."
        )
    elif facts.usable and share == 1:
        yield Finding(
            "fault",
            "all ignored",
            facts.name,
            "Every pixel of it is ignored (255): nothing can be learned from it or scored on it.",
            "Check how label values are mapped to classes.",
        )
    elif cause := binary_cause(facts.pixels, spec.num_classes):
        sentence, _, remedy = cause.rpartition(". ")
        yield Finding("fault", "binary masks", facts.name, f"{sentence}.", remedy)
    elif share > MUCH_IGNORED:
        yield Finding(
            "warning",
            "much ignored",
            facts.name,
            f"{share:.0%} of its pixels are ignored (255).",
            "Check that no class is mapped to 255 by mistake.",
        )


def absent_classes(
    spec: DatasetSpec, facts: Mapping[str, SplitFacts], training: Collection[str]
) -> Iterator[Finding]:
    """Yields the classes that occur nowhere, or in training or evaluation alone."""
    labelled = [one for one in facts.values() if any(one.pixels[:-1])]
    if not labelled:
        return
    nowhere = set.intersection(*(set(one.absent) for one in labelled))
    if nowhere:
        yield Finding(
            "warning",
            "absent class",
            ", ".join(one.name for one in labelled),
            f"No pixel of {_classes(spec, nowhere)}.",
            "Check how label values are mapped to classes, or the list of classes.",
        )
    trained = [one for one in labelled if one.name in training]
    others = [one for one in labelled if one.name not in training]
    if not trained or not others:
        return
    unseen = set.intersection(*(set(one.absent) for one in trained))
    for one in others:
        if unlearned := unseen - set(one.absent):
            yield Finding(
                "fault",
                "class not in training",
                one.name,
                f"It holds {_classes(spec, unlearned)}, of which the training split has no pixel.",
                "Split the examples anew so that every class is in training.",
            )
        if unscored := set(one.absent) - unseen:
            yield Finding(
                "warning",
                "class not in evaluation",
                one.name,
                f"It holds no pixel of {_classes(spec, unscored)}, which training has.",
                "Its mean IoU leaves these classes out where they are not predicted either.",
            )


def _classes(spec: DatasetSpec, ids: set[int]) -> str:
    names = [f"{spec.classes[k]} ({k})" for k in sorted(ids)]
    return f"{'class' if len(names) == 1 else 'classes'} {listed(names, 6)}"
