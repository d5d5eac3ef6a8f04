"""Checks a config value against the annotation of the field it is for."""

import types
import typing
from typing import Any, Literal

_NAMES = {bool: "True or False", int: "an integer", float: "a number", str: "a string"}


def coerce(value: Any, annotation: Any, *, field: str) -> Any:
    """Returns `value` in the type of `annotation`: integers become floats, lists tuples.

    Args:
        value: what the config holds.
        annotation: bool, int, float, str, None, a Literal, a tuple of one type, or a union.
        field: dotted path of the config field, for the message.

    Raises:
        ValueError: `value` is of another type.
    """
    fits, result = _convert(value, annotation)
    if not fits:
        raise ValueError(f"{field}={value!r} is not {_describe(annotation)}. Set it to one.")
    return result


def _convert(value: Any, annotation: Any) -> tuple[bool, Any]:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):
        converted = (_convert(value, argument) for argument in arguments)
        return next((pair for pair in converted if pair[0]), (False, None))
    if origin is Literal:
        return any(value == allowed for allowed in arguments), value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            return False, None
        pairs = [_convert(item, arguments[0]) for item in value]
        return all(fits for fits, _ in pairs), tuple(item for _, item in pairs)
    if annotation in (None, types.NoneType):
        return value is None, None
    if annotation is float:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        return fits, float(value) if fits else None
    # bool is a subclass of int, but True is no number of channels.
    return type(value) is annotation, value


def _describe(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_describe(argument) for argument in arguments)
    if origin is Literal:
        return "one of " + ", ".join(repr(allowed) for allowed in arguments)
    if origin is tuple:
        return f"a tuple whose items are each {_describe(arguments[0])}"
    if annotation in (None, types.NoneType):
        return "None"
    return _NAMES[annotation]
