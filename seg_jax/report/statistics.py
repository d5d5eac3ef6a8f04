"""Mean and spread over the seeds of one configuration."""

import dataclasses
import math
from collections.abc import Iterable


@dataclasses.dataclass(frozen=True)
class Summary:
    """The values that the seeds of one configuration gave, and what is read from them.

    Attributes:
        values: finite numbers, one per seed that has the value; never empty.
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Arithmetic mean over seeds."""
        return math.fsum(self.values) / len(self.values)

    @property
    def std(self) -> float | None:
        """Sample standard deviation (n - 1); None for a single seed, whose spread is unknown."""
        if len(self.values) < 2:
            return None
        mean = self.mean
        return math.sqrt(math.fsum((v - mean) ** 2 for v in self.values) / (len(self.values) - 1))

    def scaled(self, factor: float) -> "Summary":
        """Returns the same summary in another unit."""
        return Summary(tuple(v * factor for v in self.values))


def finite(value: object) -> float | None:
    """Returns `value` as a float, or None where it is no finite number (null, NaN, text)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def summarize(values: Iterable[object]) -> Summary | None:
    """Summarises the finite numbers among `values`; None when there is none."""
    kept = tuple(v for v in map(finite, values) if v is not None)
    return Summary(kept) if kept else None


def noise_of_difference(a: Summary, b: Summary) -> float | None:
    """Standard deviation of the difference between one run of `a` and one run of `b`.

    Returns:
        sqrt(std_a^2 + std_b^2), or None when either has a single seed.
    """
    if a.std is None or b.std is None:
        return None
    return math.hypot(a.std, b.std)
