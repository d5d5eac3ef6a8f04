"""Splits seen through others: unions, the sides of a cross-validation, bands around void."""

import bisect
import hashlib
import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import UInt16

from seg_jax.data.example import Example, Source, instances_of
from seg_jax.data.spec import Derived, Fold, Trimap, Union
from seg_jax.labels import IGNORE_LABEL


def derive(derived: Derived, sources: Sequence[Source]) -> Source:
    """Returns the view.

    Args:
        derived: what the split is.
        sources: the stored splits that `derived.of` names, in that order.

    Raises:
        ValueError: a fold has no examples.
    """
    match derived:
        case Union():
            return UnionSource(sources)
        case Fold():
            return _fold(derived, *sources)
        case Trimap():
            return TrimapSource(*sources, width=derived.width)


class UnionSource:
    """The examples of several sources, one source after the other."""

    def __init__(self, sources: Sequence[Source]):
        self._sources = tuple(sources)
        self._ends = list(itertools.accumulate(map(len, self._sources)))

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> Example:
        source, position = self._find(index)
        return source[position]

    def size(self, index: int) -> tuple[int, int]:
        """Returns (height, width) of an example without decoding it."""
        source, position = self._find(index)
        return source.size(position)

    def instances(self, index: int) -> UInt16[np.ndarray, "h w"]:
        """Returns the objects of an example; raises as `instances_of`."""
        source, position = self._find(index)
        return instances_of(source, position)

    @property
    def checksum(self) -> str:
        """SHA-256 over the checksums of the sources."""
        return _combine("union", *(source.checksum for source in self._sources))

    def _find(self, index: int) -> tuple[Source, int]:
        if not 0 <= index < len(self):
            raise IndexError(f"Position {index} is not in 0..{len(self) - 1}.")
        which = bisect.bisect_right(self._ends, index)
        return self._sources[which], index - (self._ends[which - 1] if which else 0)


class SubsetSource:
    """Some of the examples of a source."""

    def __init__(self, source: Source, positions: Sequence[int]):
        self._source = source
        self._positions = tuple(positions)

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, index: int) -> Example:
        return self._source[self._at(index)]

    def size(self, index: int) -> tuple[int, int]:
        """Returns (height, width) of an example without decoding it."""
        return self._source.size(self._at(index))

    def instances(self, index: int) -> UInt16[np.ndarray, "h w"]:
        """Returns the objects of an example; raises as `instances_of`."""
        return instances_of(self._source, self._at(index))

    @property
    def checksum(self) -> str:
        """SHA-256 over the source's checksum and the positions."""
        return _combine("subset", self._source.checksum, *map(str, self._positions))

    def _at(self, index: int) -> int:
        if not 0 <= index < len(self):
            raise IndexError(f"Position {index} is not in 0..{len(self) - 1}.")
        return self._positions[index]


class TrimapSource:
    """The examples of a source, with all pixels ignored that are not near a void pixel.

    Attributes are those of `spec.Trimap`.
    """

    def __init__(self, source: Source, *, width: int):
        self._source, self._width = source, width

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int) -> Example:
        example = self._source[index]
        return {**example, "label": restrict_to_trimap(example["label"], self._width)}

    def size(self, index: int) -> tuple[int, int]:
        """Returns (height, width) of an example without decoding it."""
        return self._source.size(index)

    def instances(self, index: int) -> UInt16[np.ndarray, "h w"]:
        """Returns the objects of an example; raises as `instances_of`."""
        return instances_of(self._source, index)

    @property
    def checksum(self) -> str:
        """SHA-256 over the source's checksum and the width."""
        return _combine("trimap", self._source.checksum, str(self._width))


def restrict_to_trimap(label: np.ndarray, width: int) -> np.ndarray:
    """Returns the label [h, w] with pixels further than `width` from every void one ignored.

    Distance is Chebyshev's: a square of side 2 * width + 1 dilates the void label.
    """
    side = 2 * width + 1
    void = (label == IGNORE_LABEL).astype(np.uint8)
    band = cv2.dilate(void, np.ones((side, side), np.uint8))
    return np.where(band > 0, label, np.uint8(IGNORE_LABEL))


def _fold(fold: Fold, source: Source) -> SubsetSource:
    count = len(source)
    if fold.count > count:
        raise ValueError(
            f"A split of {count} examples cannot be cut into {fold.count} folds: some would be "
            "empty. Prepare the whole dataset."
        )
    return SubsetSource(source, fold.positions(count))


def _combine(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
