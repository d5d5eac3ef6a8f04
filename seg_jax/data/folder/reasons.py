"""Why a label picture may hold values or colours that no class has: the likely mistakes."""

import numpy as np
from jaxtyping import UInt, UInt8

from seg_jax.data.folder.classes import ClassTable, names_of
from seg_jax.data.folder.fields import FIELD
from seg_jax.data.spec import Color

_MANY = 8
"""More foreign values than labels have by mistake: they come from mixing neighbours."""

_NEAR = 48
"""Largest difference of a channel that compression or smooth resizing is blamed for."""

_MIXED = (
    "Mixed values come from saving labels as JPEG or resizing them smoothly: export them again "
    "as PNG, resized by nearest neighbour."
)


def of_values(present: UInt[np.ndarray, " n"], table: ClassTable, data: bytes) -> str:
    """Returns the likely reason for grey levels outside the classes, and what to do.

    Args:
        present: the levels of one label.
        table: the classes.
        data: the encoded label.
    """
    known = set(table.by_value)
    foreign = sorted(set(present.tolist()) - known)
    if data[:2] == b"\xff\xd8" or len(foreign) > _MANY:
        return _MIXED
    names = table.names
    if set(present.tolist()) <= {0, 255} and len(names) == 2:
        return (
            "That is a binary mask saved as 0 and 255: set "
            f"{FIELD}.classes to {{{names[0]!r}: 0, {names[1]!r}: 255}}."
        )
    if foreign == [1] and 255 in known and len(names) == 2:
        return (
            "A picture of 1 bit holds 0 and 1, whatever viewers show: set "
            f"{FIELD}.classes to {{{names[0]!r}: 0, {names[1]!r}: 1}}."
        )
    if foreign == [255]:
        return (
            f"255 mostly marks pixels that do not count: if so here, set {FIELD}.ignore to (255,)."
        )
    counted = table.values == tuple((i,) for i in range(len(names)))
    if counted and foreign == [len(names)]:
        shifted = {name: i for i, name in enumerate(names, start=1)}
        missing = "" if 0 not in present else f", or add the class that {foreign[0]} stands for"
        return (
            f"Ids may start at 1: then set {FIELD}.classes to {shifted} and, if 0 marks pixels "
            f"that do not count, {FIELD}.ignore to (0,){missing}."
        )
    return (
        f"Add a class for {names_of(foreign)}, give them to one ({{name: (1, 2)}}), or list them "
        f"in {FIELD}.ignore."
    )


def of_colors(foreign: UInt8[np.ndarray, "n 3"], table: ClassTable, data: bytes) -> str:
    """Returns the likely reason for colours outside the classes, and what to do.

    Args:
        foreign: the colours, the most frequent first.
        table: the classes.
        data: the encoded label.
    """
    listed = np.asarray(list(table.by_value), np.int64)
    if data[:2] == b"\xff\xd8":
        return _MIXED
    if (foreign == foreign[:, :1]).all() and foreign.max() < len(listed):
        return (
            f"They look like class ids: set {FIELD}.form to 'index' and {FIELD}.classes to the "
            "names in the order of their ids."
        )
    if set(map(tuple, foreign[:, ::-1].tolist())) <= set(table.by_value):
        return (
            "Red and blue are swapped: the labels were written as BGR, or the colours in "
            f"{FIELD}.classes are. Write them as (red, green, blue)."
        )
    distance = np.abs(foreign.astype(np.int64)[:, None] - listed[None]).max(-1).min(1)
    if (distance <= _NEAR).all():
        return f"They differ slightly from the map. {_MIXED}"
    return (
        f"Add a class for each, or list them in {FIELD}.ignore; several colours of one class are "
        "{name: ((0, 255, 0), (0, 128, 0))}."
    )


def color_of(code: int) -> Color:
    """Returns (red, green, blue) of a 24-bit colour."""
    return code >> 16 & 255, code >> 8 & 255, code & 255
