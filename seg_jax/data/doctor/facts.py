"""What is known of a split once somebody has looked: counts, sizes, classes and faults."""

import concurrent.futures
import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt8

from seg_jax.cores import count_cores
from seg_jax.data.preparation.progress import SILENT, Progress
from seg_jax.data.spec import DatasetSpec
from seg_jax.labels import IGNORE_LABEL

Size = tuple[int, int]
"""(height, width) in pixels."""


@dataclasses.dataclass(frozen=True)
class Fault:
    """An example that cannot be used.

    Attributes:
        kind: what is wrong with it, one of `diagnose.KINDS`.
        id: its name within the split.
        message: the sentence with which `prepare` would refuse it.
        cause: why it is probably so; empty where there is nothing to add.
        values: label value -> pixels, where label values are what is wrong.
    """

    kind: str
    id: str
    message: str
    cause: str = ""
    values: Mapping[int, int] = dataclasses.field(default_factory=dict)


class Look(NamedTuple):
    """What one usable example shows.

    Attributes:
        id: its name within the split.
        image: hash of its image.
        size: height and width.
        pixels: pixels of every class, those of IGNORE_LABEL last.
    """

    id: str
    image: str
    size: Size
    pixels: Int[np.ndarray, " entries"]


@dataclasses.dataclass(frozen=True)
class SplitFacts:
    """What is known of a split. Entries by class are by class id, those of IGNORE_LABEL last.

    Attributes:
        name: the split.
        published: number of examples its authors state; None for a view and where they say none.
        count: number of examples there are, faulty ones included.
        decoded: whether every example was decoded; else the facts are those of its manifest.
        unlabelled: whether its labels are not published, so that every pixel is ignored.
        sizes: (height, width) -> number of usable examples.
        images: hash of every image by position, empty for a faulty example.
        pixels: pixels by class.
        present: images in which a class occurs.
        around: all pixels of those images.
        richest: position of the image with the most pixels of a class, None for an absent one;
            empty where the split was not decoded.
        faults: the examples that cannot be used.
        strays: label files beside those of the split that belong to no image.
    """

    name: str
    published: int | None
    count: int
    decoded: bool
    unlabelled: bool
    sizes: Mapping[Size, int]
    images: tuple[str, ...]
    pixels: tuple[int, ...]
    present: tuple[int, ...]
    around: tuple[int, ...]
    richest: tuple[int | None, ...] = ()
    faults: tuple[Fault, ...] = ()
    strays: tuple[str, ...] = ()

    @property
    def usable(self) -> int:
        """Number of examples without a fault."""
        return self.count - len(self.faults)

    @property
    def ignored_share(self) -> float:
        """Share of the pixels that do not count; 0 where there are none."""
        return self.pixels[-1] / max(1, sum(self.pixels))

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of every class among the pixels that count."""
        counted = max(1, sum(self.pixels[:-1]))
        return tuple(pixels / counted for pixels in self.pixels[:-1])

    @property
    def absent(self) -> tuple[int, ...]:
        """Classes without a pixel."""
        return tuple(k for k, images in enumerate(self.present[:-1]) if not images)


def collect(
    name: str,
    spec: DatasetSpec,
    count: int,
    look: Callable[[int], Look | Fault],
    *,
    progress: Progress = SILENT,
) -> SplitFacts:
    """Looks at every example of a split, in threads, and adds up what is seen.

    Args:
        name: the split.
        spec: the dataset.
        count: number of examples.
        look: position -> what is seen there; called from several threads.
        progress: told what is looked at.
    """
    kept = spec.num_classes + 1
    pixels, present, around = (np.zeros(kept, np.int64) for _ in range(3))
    most = np.zeros(kept, np.int64)
    richest: list[int | None] = [None] * kept
    images, faults, sizes = [], [], Counter()
    progress.start(f"looking at {name}", count, unit="examples")
    with concurrent.futures.ThreadPoolExecutor(count_cores()) as pool:
        for position, seen in enumerate(pool.map(look, range(count))):
            progress.advance(1)
            if isinstance(seen, Fault):
                faults.append(seen)
                images.append("")
                continue
            images.append(seen.image)
            sizes[seen.size] += 1
            there = seen.pixels > 0
            pixels += seen.pixels
            present += there
            around += there * seen.pixels.sum()
            for k in np.flatnonzero(seen.pixels > most).tolist():
                richest[k] = position
            most = np.maximum(most, seen.pixels)
    return SplitFacts(
        name=name,
        published=spec.splits.get(name),
        count=count,
        decoded=True,
        unlabelled=is_unlabelled(spec, name),
        sizes=dict(sizes),
        images=tuple(images),
        pixels=tuple(pixels.tolist()),
        present=tuple(present.tolist()),
        around=tuple(around.tolist()),
        richest=tuple(richest),
        faults=tuple(faults),
    )


def count_classes(label: UInt8[np.ndarray, "h w"], num_classes: int) -> Int[np.ndarray, " entries"]:
    """Returns the pixels of every class of a label whose values have been checked."""
    counts = np.bincount(label.ravel(), minlength=256)
    return counts[[*range(num_classes), IGNORE_LABEL]]


def is_unlabelled(spec: DatasetSpec, split: str) -> bool:
    """Tells whether the labels of a stored or derived split are not published."""
    derived = spec.derived.get(split)
    return set(derived.of if derived else (split,)) <= set(spec.unlabelled)


def is_for_training(split: str) -> bool:
    """Tells by its name whether a split is trained on: train, trainaug, fold0_train, ..."""
    return split.startswith("train") or split.endswith("_train")
