"""The forms that most rules have: a name of a table, a number of a range, a pair of sides."""

from collections.abc import Callable, Iterable
from typing import Any

from seg_jax.config import Config, ConfigError
from seg_jax.registry import unknown_name

BASE_SIZES = {
    "native": (0, "()", "()"),
    "short": (1, "(pixels,)", "a side such as (520,)"),
    "long": (1, "(pixels,)", "a side such as (520,)"),
    "fit": (2, "(height, width) in pixels", "a pair such as (512, 2048)"),
    "fixed": (2, "(height, width) in pixels", "a pair such as (512, 1024)"),
}
"""Resize rule -> how many numbers `base_size` beside it has, and how that is said."""


def get(config: Config, field: str) -> Any:
    """Returns the value of a dotted field."""
    value: Any = config
    for name in field.split("."):
        value = value[name]
    return value


def known(config: Config, field: str, table: Iterable[str], kind: str) -> None:
    """Refuses a name that is not in `table`."""
    name = get(config, field)
    if name not in table:
        raise unknown_name(name, table, kind=kind, field=f"config.{field}")


def require(
    config: Config, field: str, rule: Callable[[Any], bool], allowed: str, fix: str
) -> None:
    """Refuses a value that breaks `rule`.

    Args:
        config: the config.
        field: dotted path of the value.
        rule: what a value has to keep; a TypeError in it is a broken rule, too.
        allowed: what values are allowed, after "is not".
        fix: what to set, after "Set it to".
    """
    value = get(config, field)
    try:
        kept = bool(rule(value))
    except TypeError:
        kept = False
    if not kept:
        raise ConfigError(f"config.{field}={value!r} is not {allowed}. Set it to {fix}.")


def whole(config: Config, field: str, lowest: int, highest: int | None = None) -> None:
    """Refuses what is no whole number of a range."""
    allowed = f"a whole number from {lowest}" + ("" if highest is None else f" to {highest}")
    require(
        config,
        field,
        lambda value: (
            isinstance(value, int)
            and not isinstance(value, bool)
            and value >= lowest
            and (highest is None or value <= highest)
        ),
        allowed,
        "one",
    )


def number(
    config: Config,
    field: str,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> None:
    """Refuses what is no number within the bounds that are given."""
    bounds = [
        (above, "above", lambda value: value > above),
        (at_least, "at least", lambda value: value >= at_least),
        (below, "below", lambda value: value < below),
        (at_most, "at most", lambda value: value <= at_most),
    ]
    bounds = [bound for bound in bounds if bound[0] is not None]
    allowed = "a number " + " and ".join(f"{word} {limit:g}" for limit, word, _ in bounds)
    require(config, field, lambda value: all(rule(value) for *_, rule in bounds), allowed, "one")


def pair(config: Config, field: str, *, optional: bool) -> None:
    """Refuses what is no (height, width) in pixels."""
    require(
        config,
        field,
        lambda value: (
            (optional and value == ())
            or (len(value) == 2 and all(isinstance(side, int) and side > 0 for side in value))
        ),
        "(height, width) in pixels" + (", or () for the stored size" if optional else ""),
        "a pair such as (96, 96)",
    )


def resize_rule(config: Config, section: str) -> None:
    """Refuses an unknown `resize` of a section, and a `base_size` that does not belong to it."""
    known(config, f"{section}.resize", BASE_SIZES, "resize rule")
    rule = get(config, f"{section}.resize")
    sides, allowed, example = BASE_SIZES[rule]
    require(
        config,
        f"{section}.base_size",
        lambda value: len(value) == sides and all(is_side(side) for side in value),
        f"{allowed}, which config.{section}.resize={rule!r} takes",
        example,
    )


def is_side(value: Any) -> bool:
    """Tells whether a value is a number of pixels: whole, and at least 1."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
