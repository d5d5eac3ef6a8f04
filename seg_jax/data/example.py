"""What a split gives: decoded examples, at random."""

from typing import Protocol, TypedDict, runtime_checkable

import numpy as np
from jaxtyping import UInt8


class Example(TypedDict):
    """One decoded example.

    Attributes:
        image: RGB.
        label: class ids, IGNORE_LABEL where the pixel does not count; same size.
        id: name within the split.
    """

    image: UInt8[np.ndarray, "h w 3"]
    label: UInt8[np.ndarray, "h w"]
    id: str


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
