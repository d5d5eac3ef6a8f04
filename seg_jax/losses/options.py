"""A loss and its arguments, as `config.loss.terms` names them, bound and checked."""

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin

import jax
import jax.numpy as jnp

from seg_jax.losses import LOSSES
from seg_jax.registry import resolve, unknown_name


def bind_loss(
    name: str, options: Mapping[str, Any], *, num_classes: int
) -> tuple[float, Callable[..., Any]]:
    """Returns a loss's factor and the loss with its arguments set.

    Args:
        name: key of LOSSES.
        options: "weight", the factor, 1 by default, and arguments of that loss.
        num_classes: classes that the network scores.

    Raises:
        ValueError: the loss or an argument is unknown, of another type or out of range.
    """
    loss = resolve(name, LOSSES, kind="loss", field="the name in config.loss.terms")
    parameters = {
        key: parameter.annotation
        for key, parameter in inspect.signature(loss).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    parameters["weight"] = float
    arguments = {}
    for key, value in options.items():
        field = f"config.loss.terms.{name}.{key}"
        if key not in parameters:
            raise unknown_name(key, parameters, kind="argument", field=f"the name in {field}")
        arguments[key] = _checked(value, parameters[key], field)
    factor = arguments.pop("weight", 1.0)
    if factor < 0:
        raise ValueError(
            f"A loss cannot be weighed by {factor}: set config.loss.terms.{name}.weight to a "
            f"number that is not negative."
        )
    bound = functools.partial(loss, **arguments)
    shape = (1, 2, 2)
    jax.eval_shape(  # Lets the loss refuse arguments that are out of range before training does.
        bound,
        jax.ShapeDtypeStruct((*shape, num_classes), jnp.float32),
        jax.ShapeDtypeStruct(shape, jnp.uint8),
        jax.ShapeDtypeStruct(shape, jnp.float32),
    )
    return factor, bound


def _checked(value: Any, annotation: Any, field: str) -> Any:
    """Returns `value` as the annotation wants it: a finite float, an int or one of a few words."""
    if get_origin(annotation) is Literal:
        allowed = get_args(annotation)
        if value in allowed:
            return value
        wanted = f"one of {', '.join(map(repr, allowed))}"
    elif annotation is int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        wanted = "an integer"
    else:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and math.isfinite(value):
            return float(value)
        wanted = "a finite number"
    raise ValueError(f"{field} is {value!r}: set it to {wanted}.")
