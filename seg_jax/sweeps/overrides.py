"""What a sweep changes: flat mappings from dotted config fields to values."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Overrides = Mapping[str, Any]
"""Dotted config field -> value; a mapping as value replaces that whole section."""


def product(*linked: Iterable[Overrides], **axes: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Yields the Cartesian product of axes; the last axis varies fastest.

    Args:
        *linked: axes of several fields that change together, each an iterable of overrides.
        **axes: axes of one field each; `model__name` stands for the field `model.name`.

    >>> list(product(seed=[0, 1], model__name=["fcn8s"]))
    [{'seed': 0, 'model.name': 'fcn8s'}, {'seed': 1, 'model.name': 'fcn8s'}]
    >>> list(product([{"label": "wide", "augment.crop_size": (96, 192)}], seed=[0]))
    [{'label': 'wide', 'augment.crop_size': (96, 192), 'seed': 0}]

    Raises:
        ValueError: an axis is a bare string, or two axes set the same field.
    """
    columns = [list(axis) for axis in linked]
    for name, values in axes.items():
        field = name.replace("__", ".")
        if isinstance(values, str):
            raise ValueError(
                f"The axis {name}={values!r} is one string, not a list of values; "
                f"write {name}=[{values!r}]."
            )
        columns.append([{field: value} for value in values])
    for parts in itertools.product(*columns):
        overrides: dict[str, Any] = {}
        for part in parts:
            repeated = sorted(overrides.keys() & part.keys())
            if repeated:
                raise ValueError(
                    f"Two axes of this product set {repeated[0]!r}; keep it in one of them."
                )
            overrides |= part
        yield overrides
