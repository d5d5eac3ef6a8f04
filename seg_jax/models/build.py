"""Builds a model from the section `model` of a config; what does not fit is refused by name."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from seg_jax.backbones import BACKBONES
from seg_jax.layers.norm import NORMS
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
            the same form, where the architecture takes one; `norm`, optional: `name` of a norm,
            "batch" by default, and values for its fields. Lists, as JSON has them, stand for
            tuples.
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


def at_output_stride(section: Mapping[str, Any], output_stride: int) -> dict[str, Any]:
    """Returns the section of the same network with features of another stride.

    Parameters do not depend on strides and rates, so weights trained at one output stride are
    evaluated at another. The rates of the head count cells of the features: where these get
    denser, the rates grow by as much (arXiv:1706.05587, section 3.3).

    Args:
        section: the section `model` of a config, as `build_model` takes it.
        output_stride: pixels of the image per cell of the backbone's features.

    Raises:
        ValueError: the model has no backbone with an output stride, or its rates would not be
            whole numbers.
    """
    field = f"config.evaluate.output_stride={output_stride}"
    backbone = section.get("backbone") or {}
    fields: dict[str, dataclasses.Field] = {}
    if backbone:
        constructor = resolve(
            _name(backbone, f"{_SECTION}.backbone"), BACKBONES, kind="backbone", field=field
        )
        fields = {item.name: item for item in dataclasses.fields(_module(constructor))}
    if "output_stride" not in fields:
        raise ValueError(
            f"{field} needs a backbone that has an output stride, and "
            f"{_SECTION}.name={section['name']!r} has none here. Set it to 0."
        )
    trained: Any = backbone.get("output_stride", fields["output_stride"].default)
    changed = {**section, "backbone": {**backbone, "output_stride": output_stride}}
    head = _module(resolve(section["name"], MODELS, kind="model", field=f"{_SECTION}.name"))
    rates = {item.name: item.default for item in dataclasses.fields(head)}.get("atrous_rates")
    if rates is not None:
        rates = [
            Fraction(rate * trained, output_stride) for rate in section.get("atrous_rates", rates)
        ]
        if any(rate.denominator != 1 for rate in rates):
            raise ValueError(
                f"{field} makes the rates of the head {', '.join(map(str, rates))}, trained at an "
                f"output stride of {trained}. Set it to a stride at which they are whole."
            )
        changed["atrous_rates"] = [int(rate) for rate in rates]
    return changed


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
        raise ValueError(f"{path}={section!r} is not a section. Set {path}.name or .momentum.")
    name = coerce(section.get("name", "batch"), str, field=f"{path}.name")
    if name not in NORMS:
        raise unknown_name(name, NORMS, kind="norm", field=f"{path}.name")
    allowed = {
        field: parameter.annotation
        for field, parameter in inspect.signature(NORMS[name]).parameters.items()
        if field not in ("train", "axis")
    }
    values = {field: value for field, value in section.items() if field != "name"}
    arguments = _checked(values, allowed, path, kind=f"field of the norm {name!r}:")
    return functools.partial(NORMS[name], axis=axis, **arguments)


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
