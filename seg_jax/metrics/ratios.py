"""Quotients of counts that may be 0 over 0, and means over those that are not."""

import numpy as np

Counts = np.ndarray | np.generic


def divide(numerator: Counts, denominator: Counts) -> np.ndarray:
    """Returns the quotient in float64, NaN where the denominator is 0."""
    over, under = np.broadcast_arrays(numerator, denominator)
    return np.divide(over, under, out=np.full(over.shape, np.nan), where=under > 0)


def mean_of_known(values: np.ndarray) -> float:
    """Returns the mean of the values that are not NaN; NaN where all are, without a warning."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def count_ids(ids: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns how often each of the class ids 0..num_classes - 1 occurs, int64 [k]."""
    return np.bincount(ids.reshape(-1), minlength=num_classes)


def by_class(key: str, values: np.ndarray, classes: tuple[str, ...]) -> dict[str, float]:
    """Returns the mean of the known values as `key` and each value as `key`/class."""
    each = {f"{key}/{name}": float(v) for name, v in zip(classes, values, strict=True)}
    return {key: mean_of_known(values), **each}
