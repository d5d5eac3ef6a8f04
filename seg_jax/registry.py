"""Name -> constructor tables. A table is one dict literal; adding an entry is one line."""

import difflib
import importlib
from collections.abc import Iterable, Mapping
from typing import Any


class UnknownNameError(ValueError):
    """A name that no table or section holds; the message says what is allowed."""


def unknown_name(name: str, known: Iterable[str], *, kind: str, field: str) -> UnknownNameError:
    """Returns the error for `name`: near miss, every known name, and the field to change."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return UnknownNameError(
        f"Unknown {kind} {name!r}.{hint} Known: {', '.join(known)}. Set {field} to one of these."
    )


def resolve(name: str, table: Mapping[str, str], *, kind: str, field: str) -> Any:
    """Imports the object that `table` names as "package.module:Object".

    Imports lazily, so `deeplab_v3` does not pay for, or break with, `fastfcn`.

    Args:
        name: key of the table, as written in a config.
        table: name -> "package.module:Object".
        kind: what the table lists, for the message ("model", "dataset").
        field: the config field that held the name, for the message.

    Raises:
        UnknownNameError: `name` is not in the table.
    """
    if name not in table:
        raise unknown_name(name, table, kind=kind, field=field)
    module, _, attribute = table[name].partition(":")
    return getattr(importlib.import_module(module), attribute)
