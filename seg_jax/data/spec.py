"""What a dataset is, as plain data: names, colours, counts, licence, splits and probes.

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
class Union:
    """A split that holds all examples of others, one after the other, as VOC's trainval does.

    Attributes:
        of: the stored splits.
    """

    of: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Fold:
    """One side of a cross-validation.

    Folds are runs of neighbours and not every n-th example: sets that need folds are stacks
    and sequences, in which every n-th would have its near copy on the other side.

    Attributes:
        of: the stored split, as a tuple of one.
        index: which fold, 0..count - 1; it holds the positions [index * n // count,
            (index + 1) * n // count) of the n examples.
        count: number of folds.
        held_out: the fold itself (for validation) or all the others (for training).
    """

    of: tuple[str]
    index: int
    count: int
    held_out: bool

    def positions(self, num_examples: int) -> list[int]:
        """Returns which of the examples of the stored split this side shows, in order."""
        first, last = (edge * num_examples // self.count for edge in (self.index, self.index + 1))
        return [i for i in range(num_examples) if (first <= i < last) == self.held_out]


@dataclasses.dataclass(frozen=True)
class Trimap:
    """A split whose pixels count only within some distance of its void pixels.

    VOC's void label follows the outline of every object; DeepLab (arXiv:1606.00915, section
    4.1) dilates it to measure how well boundaries are found.

    Attributes:
        of: the stored split, as a tuple of one.
        width: pixels of dilation; the void pixels themselves stay ignored.
    """

    of: tuple[str]
    width: int


Derived = Union | Fold | Trimap
"""A split that is not stored but seen through others."""


def folds(split: str, count: int) -> dict[str, Fold]:
    """Returns the 2 * count splits of a cross-validation: fold0_train, fold0_val, ..."""
    return {
        f"fold{index}_{side}": Fold((split,), index, count, held_out=side == "val")
        for index in range(count)
        for side in ("train", "val")
    }


@dataclasses.dataclass(frozen=True)
class Archive:
    """A file that the publisher offers for download.

    Attributes:
        url: where.
        file: name to keep it under; its ending tells how it is unpacked, if it is an archive.
        bytes: its size, 0 where unknown; said before the download starts.
        sha256: its checksum in hex where the publisher states one, or we took it; else empty.
        md5: the same, for publishers that state an MD5.
    """

    url: str
    file: str
    bytes: int = 0
    sha256: str = ""
    md5: str = ""


@dataclasses.dataclass(frozen=True)
class DatasetSpec:
    """The facts about a dataset that models, metrics and reports need.

    Attributes:
        name: key of the dataset in `DATASETS`; "family/form" where a set has several forms.
        classes: class names by class id; void is not a class, its pixels hold IGNORE_LABEL.
        palette: colour of every class in pictures of labels.
        licence: under which terms the pictures may be used.
        citation: the publication to cite.
        splits: stored split -> number of examples its authors state, 0 where they do not.
        derived: splits that are views of stored ones, by name.
        unlabelled: stored splits whose labels are not published: every pixel is ignored.
        probes: series of splits that isolate one factor; their splits are in `splits` too.
        homepage: where the set is described and, mostly, to be had.
        archives: what can be downloaded without an account; empty where one has to register.
        prepared_bytes: what the prepared set takes on disk, roughly; 0 where not known.

    Raises:
        ValueError: the fields contradict each other.
    """

    name: str
    classes: tuple[str, ...]
    palette: tuple[Color, ...]
    licence: str
    citation: str
    splits: Mapping[str, int]
    derived: Mapping[str, Derived] = dataclasses.field(default_factory=dict)
    unlabelled: tuple[str, ...] = ()
    probes: tuple[Probe, ...] = ()
    homepage: str = ""
    archives: tuple[Archive, ...] = ()
    prepared_bytes: int = 0

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
            self._require(f"Probe {probe.factor!r}", map(probe.split, probe.levels))
        for split, derived in self.derived.items():
            self._require(f"Split {split!r}", derived.of)
        self._require("DatasetSpec.unlabelled", self.unlabelled)

    def _require(self, what, splits) -> None:
        missing = [split for split in splits if split not in self.splits]
        if missing:
            raise ValueError(
                f"{what} of dataset {self.name!r} needs the splits {missing}; add them to "
                "DatasetSpec.splits."
            )

    @property
    def num_classes(self) -> int:
        """Number of classes, void not counted."""
        return len(self.classes)

    @property
    def all_splits(self) -> tuple[str, ...]:
        """Every split that can be opened, stored ones first."""
        return (*self.splits, *self.derived)
