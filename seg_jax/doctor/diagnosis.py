"""What the doctor says of one dataset, and the plain record of it for programs."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from seg_jax.data.class_weights import enet, median_frequency
from seg_jax.data.doctor.examined import Examined
from seg_jax.data.doctor.facts import SplitFacts
from seg_jax.data.doctor.finding import Finding, Severity
from seg_jax.data.spec import DatasetSpec

Form = Literal["prepared", "made on demand", "files"]


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """A dataset that was looked at.

    Attributes:
        spec: what it should be.
        form: whether its prepared records were looked at, or files before preparing them.
        place: the folder looked at; empty for a set made on demand.
        examined: the splits by name.
        findings: the worst first.
        weighed: the split whose classes the suggested weights are for; empty where there is none.
    """

    spec: DatasetSpec
    form: Form
    place: str
    examined: Mapping[str, Examined]
    findings: tuple[Finding, ...]
    weighed: str

    @property
    def sound(self) -> bool:
        """Whether there is no fault."""
        return not self.count("fault")

    def count(self, severity: Severity) -> int:
        """Returns the number of findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def facts(self) -> dict[str, SplitFacts]:
        """The facts of every split, by name."""
        return {split: one.facts for split, one in self.examined.items()}

    @property
    def median_frequency(self) -> list[float | None]:
        """Weights of the classes by median frequency balancing; all None where not known."""
        facts = self.facts.get(self.weighed)
        if facts is None:
            return [None] * self.spec.num_classes
        return median_frequency(facts.pixels[:-1], facts.around[:-1])

    @property
    def enet(self) -> list[float | None]:
        """Weights of the classes by ENet's rule."""
        facts = self.facts.get(self.weighed)
        return enet(facts.pixels[:-1] if facts else [0] * self.spec.num_classes)


def to_record(diagnosis: Diagnosis) -> dict[str, Any]:
    """Returns everything that is known as JSON values."""
    spec = diagnosis.spec
    return {
        "dataset": spec.name,
        "form": diagnosis.form,
        "place": diagnosis.place,
        "sound": diagnosis.sound,
        "findings": [dataclasses.asdict(finding) for finding in diagnosis.findings],
        "classes": list(spec.classes),
        "splits": {split: _split(facts) for split, facts in diagnosis.facts.items()},
        "class_weights": {
            "split": diagnosis.weighed,
            "median_frequency": diagnosis.median_frequency,
            "enet": diagnosis.enet,
        },
    }


def _split(facts: SplitFacts) -> dict[str, Any]:
    return {
        "published": facts.published,
        "count": facts.count,
        "usable": facts.usable,
        "decoded": facts.decoded,
        "unlabelled": facts.unlabelled,
        "sizes": {f"{h}x{w}": n for (h, w), n in sorted(facts.sizes.items())},
        "pixels": list(facts.pixels[:-1]),
        "images": list(facts.present[:-1]),
        "ignored_pixels": facts.pixels[-1],
        "ignored_share": facts.ignored_share,
        "absent": list(facts.absent),
        "faults": [
            {**dataclasses.asdict(fault), "values": {str(v): n for v, n in fault.values.items()}}
            for fault in facts.faults
        ],
        "strays": list(facts.strays),
    }
