"""Classes of the user's labels, and the values, colours or names that stand for them.

A mapping in a config has no order: ml_collections sorts its keys. Class ids of a mapping
therefore follow what it says, not how it was written; a tuple of pairs keeps its order.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from seg_jax.data.folder.fields import FIELD, as_names, fault
from seg_jax.data.palettes import voc_palette
from seg_jax.data.spec import Color
from seg_jax.labels import IGNORE_LABEL

BACKGROUND = "background"
"""The class of pixels that no mask or shape covers, unless another is named."""

IGNORE = "ignore"
"""Said instead of a class where such pixels do not count."""

LARGEST_VALUE = 65535
Value = int | str | Color


@dataclasses.dataclass(frozen=True)
class ClassTable:
    """Classes in the order of their ids.

    Attributes:
        names: the classes.
        values: what stands for each in the labels: values (index), colours (rgb), or names.
        ignore: values, colours or names of what does not count.
        elsewhere: id of pixels that nothing covers; IGNORE_LABEL where they do not count.
    """

    names: tuple[str, ...]
    values: tuple[tuple[Value, ...], ...]
    ignore: tuple[Value, ...] = ()
    elsewhere: int = IGNORE_LABEL

    @property
    def by_value(self) -> dict[Any, int]:
        """Value, colour or name -> id, IGNORE_LABEL for what does not count."""
        ids = {value: i for i, values in enumerate(self.values) for value in values}
        return ids | dict.fromkeys(self.ignore, IGNORE_LABEL)


def parse_classes(
    given: Any, *, form: str, named: bool, ignore: Any, background: Any
) -> ClassTable:
    """Checks the fields classes, ignore and background.

    Args:
        given: names; or pairs or a mapping of name to what stands for the class.
        form: the form of the labels.
        named: whether names stand for classes in this form.
        ignore: what does not count.
        background: name of a class, or "ignore".

    Raises:
        ValueError: a field holds what it must not.
    """
    pairs = _pairs(given, form)
    names = tuple(name for name, _ in pairs)
    _check_names(names)
    values = []
    for position, (name, value) in enumerate(pairs):
        if value is not None:
            own = _values(f"classes[{name!r}]", value, form)
            if not own and not named:
                raise fault("classes", f"gives {name!r} no value; give it one or more.")
            values.append(own)
        elif named:
            values.append(() if name == background else (name,))
        else:
            values.append((position,))
    if isinstance(given, Mapping):
        order = sorted(range(len(pairs)), key=lambda i: _order(names[i], values[i], form))
        names, values = tuple(names[i] for i in order), [values[i] for i in order]
    table = ClassTable(names, tuple(values), _values("ignore", ignore, form))
    _check_distinct(table)
    if not named:
        return table
    if background not in (*names, IGNORE):
        raise fault(
            "background",
            f"is {background!r}, which is not among the classes {names}: name the class of "
            f"pixels that no mask or shape covers, or set it to {IGNORE!r}, and they do not "
            "count.",
        )
    elsewhere = names.index(background) if background in names else IGNORE_LABEL
    return dataclasses.replace(table, elsewhere=elsewhere)


def _pairs(given: Any, form: str) -> list[tuple[Any, Any]]:
    """Returns (name, what stands for it); None where only names are given."""
    if isinstance(given, Mapping):
        return list(given.items())
    if not isinstance(given, list | tuple) or not given:
        raise fault(
            "classes",
            f"is {given!r}; set it to the names in the order of their ids, such as "
            "('background', 'leaf'), or to {name: value or colour}.",
        )
    if all(isinstance(item, str) for item in given):
        if form == "rgb":
            raise fault(
                "classes",
                f"holds names without colours, but form='rgb' needs the colour of each, such as "
                f"{{{given[0]!r}: (0, 0, 0), ...}}.",
            )
        return [(name, None) for name in given]
    for item in given:
        if not isinstance(item, list | tuple) or len(item) != 2:
            raise fault("classes", f"holds {item!r}; give either names only or (name, value).")
    return [(name, value) for name, value in given]


def _check_names(names: tuple[Any, ...]) -> None:
    if not names:
        raise fault("classes", "is empty. Name at least one class.")
    as_names("classes", names)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise fault("classes", f"holds {twice[0]!r} more than once. Name each class once.")
    if len(names) > IGNORE_LABEL:
        raise fault("classes", f"holds {len(names)} classes; labels have 8 bits, so at most 255.")


def _values(field: str, given: Any, form: str) -> tuple[Value, ...]:
    """Returns one or several values as a tuple of them."""
    if form == "rgb":
        several = (
            given if _is_sequence(given) and (not given or _is_sequence(given[0])) else [given]
        )
        return tuple(_color(field, item) for item in several)
    if form == "index":
        return tuple(_level(field, item) for item in (given if _is_sequence(given) else [given]))
    return as_names(field, given)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _is_whole(value: Any, largest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= largest


def _level(field: str, value: Any) -> int:
    if not _is_whole(value, LARGEST_VALUE):
        raise fault(
            field,
            f"is {value!r}; form='index' takes a pixel value 0..{LARGEST_VALUE}, or several. For "
            "colours set form to 'rgb'.",
        )
    return value


def _color(field: str, value: Any) -> Color:
    if not _is_sequence(value) or len(value) != 3 or not all(_is_whole(v, 255) for v in value):
        raise fault(
            field,
            f"is {value!r}; form='rgb' takes a colour (red, green, blue), each 0..255, or "
            "several. For grey values set form to 'index'.",
        )
    red, green, blue = value
    return red, green, blue


def _order(name: str, values: tuple[Value, ...], form: str) -> tuple[Any, ...]:
    """Sorts grey levels by value; colours and names with the background first, then by name."""
    return (min(values, default=0),) if form == "index" else (name != BACKGROUND, name)


def _check_distinct(table: ClassTable) -> None:
    owners: dict[Value, str] = {}
    for field, values in [*zip(table.names, table.values, strict=True), (IGNORE, table.ignore)]:
        for value in values:
            if value in owners:
                raise fault(
                    "classes",
                    f"gives {value!r} to both {owners[value]!r} and {field!r}. Give every class, "
                    f"and {FIELD}.ignore, its own.",
                )
            owners[value] = field


def colors(table: ClassTable) -> tuple[Color, ...]:
    """Returns a colour a class: the first of its own where it has some, else VOC's of its id."""
    own = [values[0] for values in table.values if values and isinstance(values[0], tuple)]
    return tuple(own) or voc_palette(len(table.names))


def names_of(values: Iterable[Value]) -> str:
    """Returns values as a message lists them: the first six, and how many more."""
    listed = list(values)
    more = f" and {len(listed) - 6} more" if len(listed) > 6 else ""
    return ", ".join(map(repr, listed[:6])) + more
