"""What a split gives: decoded examples, at random."""

from typing import NotRequired, Protocol, TypedDict, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8, UInt16


class Example(TypedDict):
    """One decoded example.

    Attributes:
        image: RGB.
        label: class ids, IGNORE_LABEL where the pixel does not count; same size.
        id: name within the split.
        border: weights of pixels between objects, see `border.BorderSource`; of its examples
            and what is made from them only.
    """

    image: UInt8[np.ndarray, "h w 3"]
    label: UInt8[np.ndarray, "h w"]
    id: str
    border: NotRequired[Float32[np.ndarray, "h w"]]


@runtime_checkable
class Source(Protocol):
    """A split: a length, and an example for every position below it; safe from threads."""

    def __len__(self) -> int:
        """Returns the number of examples."""
        ...

    def __getitem__(self, index: int) -> Example:
        """Returns the example at a position in 0..len - 1."""
        ...

    def size(self, index: int) -> tuple[int, int]:
        """Returns (height, width) of an example without decoding it."""
        ...

    @property
    def checksum(self) -> str:
        """SHA-256 in hex over what the split holds; equal for equal examples in equal order."""
        ...


@runtime_checkable
class InstanceSource(Protocol):
    """A split that may know which object each pixel belongs to."""

    def instances(self, index: int) -> UInt16[np.ndarray, "h w"]:
        """Returns the number of the object of each pixel of an example, 0 for none.

        Raises:
            LookupError: the dataset knows no objects.
            DataError: the map cannot be read.
        """
        ...


def instances_of(source: Source, index: int) -> UInt16[np.ndarray, "h w"]:
    """Returns the objects of an example, see `InstanceSource`.

    Raises:
        LookupError: the dataset, or this kind of source, knows no objects.
        DataError: the map cannot be read.
    """
    if not isinstance(source, InstanceSource):
        raise LookupError("The dataset knows no objects; its labels are classes.")
    return source.instances(index)
