"""What a dataset is, as plain data: names, colours, counts, licence and probe splits.

Nothing here reads a file or imports an array library, so that configs, reports and tests
can ask about a dataset without having it.
"""

import dataclasses
from collections.abc import Mapping

Color = tuple[int, int, int]
"""RGB, each 0..255."""


@dataclasses.dataclass(frozen=True)
class Probe:
    """A series of splits in which one factor takes one value each and the rest does not change.

    Attributes:
        factor: what is varied, one word; it begins the name of every split of the series.
        unit: unit of the levels ("px").
        description: one sentence for the report: what a high or low score says.
        classes: the classes whose mean IoU is the score of the probe.
        levels: the values of the factor, ascending.
    """

    factor: str
    unit: str
    description: str
    classes: tuple[str, ...]
    levels: tuple[int, ...]

    def split(self, level: int) -> str:
        """Returns the name of the split at one level, for instance "size_12"."""
        return f"{self.factor}_{level}"


@dataclasses.dataclass(frozen=True)
class DatasetSpec:
    """The facts about a dataset that models, metrics and reports need.

    Attributes:
        name: key of the dataset in `DATASETS`.
        classes: class names by class id; void is not a class, its pixels hold IGNORE_LABEL.
        palette: colour of every class in pictures of labels.
        licence: under which terms the pictures may be used.
        citation: the publication to cite.
        splits: split name -> number of examples its authors state.
        probes: series of splits that isolate one factor; their splits are in `splits` too.

    Raises:
        ValueError: the fields contradict each other.
    """

    name: str
    classes: tuple[str, ...]
    palette: tuple[Color, ...]
    licence: str
    citation: str
    splits: Mapping[str, int]
    probes: tuple[Probe, ...] = ()

    def __post_init__(self):
        if len(self.palette) != len(self.classes):
            raise ValueError(
                f"Dataset {self.name!r} has {len(self.classes)} classes but "
                f"{len(self.palette)} colours; give DatasetSpec.palette one colour a class."
            )
        for probe in self.probes:
            unknown = sorted(set(probe.classes) - set(self.classes))
            if unknown:
                raise ValueError(
                    f"Probe {probe.factor!r} of dataset {self.name!r} scores {unknown}, which "
                    f"are not among its classes; set Probe.classes to some of {self.classes}."
                )
            missing = [s for s in map(probe.split, probe.levels) if s not in self.splits]
            if missing:
                raise ValueError(
                    f"Probe {probe.factor!r} of dataset {self.name!r} needs the splits "
                    f"{missing}; add them to DatasetSpec.splits."
                )

    @property
    def num_classes(self) -> int:
        """Number of classes, void not counted."""
        return len(self.classes)
