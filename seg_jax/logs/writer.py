"""What takes the rows and pictures of a training run, and several of them as one."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

Picture = UInt8[np.ndarray, "_ _ 3"]
"""RGB, of any height and width."""


@runtime_checkable
class Writer(Protocol):
    """Keeps rows of numbers and pictures by step."""

    def write(self, step: int, row: Mapping[str, float]) -> None:
        """Keeps the numbers of a step; a step may have several rows, of other names."""
        ...

    def draw(self, step: int, pictures: Mapping[str, Picture]) -> None:
        """Keeps pictures of a step by name."""
        ...

    def close(self) -> None:
        """Writes what is left."""
        ...


class Writers:
    """Hands everything to each of several writers; with none, to nobody."""

    def __init__(self, writers: Sequence[Writer] = ()):
        self._writers = tuple(writers)

    def write(self, step: int, row: Mapping[str, float]) -> None:
        """Keeps the numbers of a step everywhere."""
        for writer in self._writers:
            writer.write(step, row)

    def draw(self, step: int, pictures: Mapping[str, Picture]) -> None:
        """Keeps pictures of a step everywhere."""
        for writer in self._writers:
            writer.draw(step, pictures)

    def close(self) -> None:
        """Closes all of them."""
        for writer in self._writers:
            writer.close()
