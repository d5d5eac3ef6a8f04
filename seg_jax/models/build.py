"""Builds a model from the section `model` of a config; what does not fit is refused by name."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from seg_jax.backbones import BACKBONES
from seg_jax.layers.norm import batch_norm
from seg_jax.models import MODELS
from seg_jax.models.coerce import coerce
from seg_jax.registry import resolve, unknown_name

_SECTION = "config.model"
_NOT_CONFIGURED = frozenset({"parent", "name", "num_classes", "backbone", "norm", "upsample"})
_PROBE_SIZE = (64, 64)


def build_model(section: Mapping[str, Any], *, num_classes: int, axis: str | None) -> nn.Module:
    """Returns the module that `section` describes, traced once to see that its parts fit.

    Args:
        section: `name` of an architecture and values for its fields; `backbone`, a section of
            the same form, where the architecture takes one; `norm`, optional: `momentum` and
            `epsilon` of batch norm. Lists, as JSON has them, stand for tuples.
        num_classes: classes of the dataset, the ignore label not counted.
        axis: mapped device axis over which batch norm averages its statistics, or `None`.

    Raises:
        ValueError: a name or key is unknown, a value has the wrong type or cannot be, or the
            backbone does not fit the architecture; the message names the field to change.
    """
    name = _name(section, _SECTION)
    constructor = resolve(name, MODELS, kind="model", field=f"{_SECTION}.name")
    arguments = _arguments(constructor, section, _SECTION, apart=("backbone", "norm"))
    arguments["norm"] = _norm(section.get("norm", {}), axis)
    taken = {field.name: field for field in dataclasses.fields(_module(constructor))}.get(
        "backbone"
    )
    given = section.get("backbone")
    if given is not None and taken is None:
        raise ValueError(
            f"{_SECTION}.name={name!r} has an encoder of its own and takes no backbone. "
            f"Remove {_SECTION}.backbone."
        )
    if given is not None:
        arguments["backbone"] = _backbone(given)
    elif taken is not None and taken.default is dataclasses.MISSING:
        raise ValueError(
            f"{_SECTION}.name={name!r} needs a backbone. Set {_SECTION}.backbone.name to one of "
            f"{', '.join(sorted(BACKBONES))}."
        )
    model = constructor(num_classes=num_classes, **arguments)
    _trace(model)
    return model


def _trace(model: nn.Module) -> None:
    """Runs the shapes through the model: strides that cannot be reached show up here."""
    image = jax.ShapeDtypeStruct((1, *_PROBE_SIZE, 3), jnp.float32)
    jax.eval_shape(functools.partial(model.init, train=False), jax.random.key(0), image)


def _backbone(section: Any) -> Callable[..., nn.Module]:
    path = f"{_SECTION}.backbone"
    name = _name(section, path)
    constructor = resolve(name, BACKBONES, kind="backbone", field=f"{path}.name")
    return functools.partial(constructor, **_arguments(constructor, section, path))


def _norm(section: Any, axis: str | None) -> Callable[[bool], Callable]:
    path = f"{_SECTION}.norm"
    if not isinstance(section, Mapping):
        raise ValueError(f"{path}={section!r} is not a section. Set {path}.momentum or .epsilon.")
    allowed = {
        name: parameter.annotation
        for name, parameter in inspect.signature(batch_norm).parameters.items()
        if name not in ("train", "axis")
    }
    arguments = _checked(section, allowed, path, kind="norm field")
    return functools.partial(batch_norm, axis=axis, **arguments)


def _arguments(
    constructor: Callable, section: Mapping[str, Any], path: str, *, apart: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Returns the values of `section` that are fields of `constructor`, checked.

    Args:
        constructor: a module class, or a partial of one, whose keywords are not configurable.
        section: the config section, with its `name`.
        path: dotted path of the section.
        apart: keys of the section that are handled elsewhere.
    """
    fixed = set(_NOT_CONFIGURED)
    if isinstance(constructor, functools.partial):
        fixed |= set(constructor.keywords)
    fields = dataclasses.fields(_module(constructor))
    allowed = {field.name: field.type for field in fields if field.name not in fixed}
    values = {key: value for key, value in section.items() if key not in ("name", *apart)}
    return _checked(values, allowed, path, kind=f"field of {section['name']}")


def _module(constructor: Any) -> Any:
    """Returns the module class behind a constructor."""
    return constructor.func if isinstance(constructor, functools.partial) else constructor


def _checked(
    values: Mapping[str, Any], allowed: Mapping[str, Any], path: str, *, kind: str
) -> dict[str, Any]:
    checked = {}
    for key, value in values.items():
        if key not in allowed:
            raise unknown_name(key, allowed, kind=kind, field=f"{path}.{key}")
        checked[key] = coerce(value, allowed[key], field=f"{path}.{key}")
    return checked


def _name(section: Any, path: str) -> str:
    if not isinstance(section, Mapping) or "name" not in section:
        raise ValueError(f"{path}={section!r} names nothing. Set {path}.name.")
    return coerce(section["name"], str, field=f"{path}.name")
