"""Looks at the loss of every step without waiting for each, and finds the first bad one."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

REFERENCE_ROWS = 10
"""The loss's level at first is the median of that many rows of the log."""
EXPLODED = 1e4
"""A loss so many times that level has exploded."""
NEVER_EXPLODED = 100.0
"""A loss up to this has not, whatever its level was: a network may start from a loss near 0 and
be wrong about a picture. A mean over pixels comes to 20 where the right class has a probability
of 1e-9; sums over pixels, as FCN's, begin far above."""


class Fault(NamedTuple):
    """The first step whose loss or gradient cannot be trained with.

    Attributes:
        step: number of it, from 1.
        what: what is wrong, such as "The loss is nan".
        scalars: the step's numbers.
    """

    step: int
    what: str
    scalars: Mapping[str, float]


class LossWatch:
    """Keeps the scalars of the steps on the device until they are read, all at once.

    A step is bad if its loss or the norm of its gradient is no finite number, or if its loss has
    exploded: it is above NEVER_EXPLODED and more than EXPLODED times what it was at first. The
    level at first is taken from the rows of the log alone, so that a resumed run judges alike.
    """

    def __init__(self, first_losses: Sequence[float] = ()):
        """Begins.

        Args:
            first_losses: of the log's rows so far, those that an uninterrupted run has, too.
        """
        self._first: list[float] = []
        for loss in first_losses:
            self.add_row(loss)
        self._pending: list[tuple[int, Mapping[str, jax.Array]]] = []
        self._last: Mapping[str, float] = {}

    def add(self, step: int, scalars: Mapping[str, jax.Array]) -> None:
        """Keeps the scalars of a step without reading them."""
        self._pending.append((step, scalars))

    def add_row(self, loss: float) -> None:
        """Lets the loss of a row count for the level at first, if it is one of the first."""
        # 0 where a batch holds nothing but ignored pixels.
        if len(self._first) < REFERENCE_ROWS and loss > 0:
            self._first.append(loss)

    def wait_for_all_but(self, count: int) -> None:
        """Blocks until no more than `count` steps are under way."""
        if len(self._pending) > count:
            jax.block_until_ready(self._pending[-count - 1][1])

    def read(self) -> Mapping[str, float] | Fault:
        """Returns the numbers of the last step, or the first fault since the last reading."""
        fetched: list[Any] = jax.device_get([scalars for _, scalars in self._pending])
        steps = [step for step, _ in self._pending]
        self._pending = []
        for step, scalars in zip(steps, fetched, strict=True):
            self._last = {name: float(value) for name, value in scalars.items()}
            what = self._judge(self._last)
            if what:
                return Fault(step, what, self._last)
        return self._last

    def _judge(self, scalars: Mapping[str, float]) -> str:
        loss, norm = scalars["loss"], scalars.get("grad_norm", 0.0)
        if not math.isfinite(loss):
            return f"The loss is {loss}"
        if not math.isfinite(norm):
            return f"The gradient's norm is {norm}"
        level = float(np.median(self._first)) if self._first else math.inf
        if loss > max(EXPLODED * level, NEVER_EXPLODED):
            return f"The loss is {loss:.3g}, having been {level:.3g} at first,"
        return ""
