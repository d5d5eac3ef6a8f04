"""Parameters chosen by patterns of their path, such as "backbone/stage1/conv/kernel"."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Any

import jax

EXAMPLES = 4
"""Paths that a message shows of a network's hundreds."""


@dataclasses.dataclass(frozen=True)
class Patterns:
    """Regular expressions that are searched for in a parameter's path.

    Attributes:
        field: the config field that holds them, for messages.
        compiled: the expressions.
    """

    field: str
    compiled: tuple[re.Pattern[str], ...]

    @classmethod
    def of(cls, expressions: Sequence[str], *, field: str) -> "Patterns":
        """Compiles the expressions of a config field.

        Raises:
            ValueError: one is no regular expression.
        """
        return cls(field, tuple(_compiled(expression, field) for expression in expressions))

    def found_in(self, path: str) -> list[bool]:
        """Tells for each expression whether it is found in the path."""
        return [pattern.search(path) is not None for pattern in self.compiled]

    def check(self, params: Any) -> None:
        """Refuses an expression that chooses nothing: it was meant for another network.

        Raises:
            ValueError: an expression is found in no path of the parameters.
        """
        paths = jax.tree.leaves(map_paths(lambda path: path, params))
        for index, pattern in enumerate(self.compiled):
            if not any(self.found_in(path)[index] for path in paths):
                shown = ", ".join(paths[:: max(len(paths) // EXAMPLES, 1)][:EXAMPLES])
                raise ValueError(
                    f"{self.field} has {pattern.pattern!r}, which matches none of the network's "
                    f"{len(paths)} parameters. Change it to match paths such as {shown}, or "
                    "leave it out."
                )


def map_paths(fn: Callable[[str], Any], params: Any) -> Any:
    """Returns the tree of fn(path) for every parameter, names joined by "/"."""
    return jax.tree_util.tree_map_with_path(
        lambda keys, _: fn("/".join(key.key for key in keys)), params
    )


def _compiled(expression: str, field: str) -> re.Pattern[str]:
    try:
        return re.compile(expression)
    except re.error as error:
        raise ValueError(
            f"{field} has {expression!r}, which is no regular expression: {error}. A dot matches "
            "any character, '(^|/)bias$' every bias."
        ) from error
