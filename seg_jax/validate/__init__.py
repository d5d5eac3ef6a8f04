"""Every rule that a config has to keep, checked before anything is built. Imports no jax."""

from collections.abc import Callable, Iterable
from math import isclose
from typing import Any

from ml_collections import ConfigDict

from seg_jax.config import Config, ConfigError, base_config
from seg_jax.data import DATASETS
from seg_jax.data.folder.description import parse_description
from seg_jax.models import MODELS
from seg_jax.optim import OPTIMIZERS, SCHEDULES
from seg_jax.registry import unknown_name
from seg_jax.weights import TRAINED, WEIGHTS

BASE_SIZES = {
    "native": (0, "()", "()"),
    "short": (1, "(pixels,)", "a side such as (520,)"),
    "long": (1, "(pixels,)", "a side such as (520,)"),
    "fit": (2, "(height, width) in pixels", "a pair such as (512, 2048)"),
    "fixed": (2, "(height, width) in pixels", "a pair such as (512, 1024)"),
}
"""Resize rule -> how many numbers config.augment.base_size has, and how that is said."""

MIXES = ("cutmix", "classmix")


def validate(config: Config) -> None:
    """Refuses a config that could not run, or would not do what it says.

    Raises:
        ConfigError: a value is out of its range, or two fields contradict each other.
        UnknownNameError: a section, a field or a name is not known.
    """
    _same_fields(config)
    _known(config, "dataset.name", DATASETS, "dataset")
    _folder(config)
    _known(config, "model.name", MODELS, "model")
    _known(config, "optimizer.name", OPTIMIZERS, "optimizer")
    _known(config, "schedule.name", SCHEDULES, "schedule")
    if config.weights.name:
        _known(config, "weights.name", (*WEIGHTS, TRAINED), "weights")
        _require(config, "weights.path", bool, f"where to find {config.weights.name}", "a path")
        if config.weights.name != TRAINED and "backbone" not in config.model:
            raise ConfigError(
                f"config.weights.name={config.weights.name!r} initialises a backbone, and model "
                f"{config.model.name!r} has none. Set config.model.backbone, or "
                f"config.weights.name to ''."
            )
    _whole(config, "seed", 0, 2**32 - 1)
    for field in ("num_steps", "batch_size", "log_every", "checkpoint_every"):
        _whole(config, f"train.{field}", 1)
    _whole(config, "dataset.num_workers", 0)
    _whole(config, "dataset.max_bad_examples", 0)
    _whole(config, "evaluate.batch_size", 1)
    _whole(config, "evaluate.num_pictures", 0)
    _whole(config, "schedule.warmup_steps", 0)
    _pair(config, "dataset.size", optional=True)
    _augment(config)
    _require(
        config,
        "evaluate.boundary_widths",
        lambda value: all(isinstance(width, int) and width > 0 for width in value),
        "half-widths of 1 pixel or more",
        "a tuple such as (1, 2, 4)",
    )
    _number(config, "schedule.base_lr", above=0.0)
    _number(config, "schedule.power", at_least=0.0)
    _number(config, "optimizer.momentum", at_least=0.0, below=1.0)
    _number(config, "optimizer.weight_decay", at_least=0.0)
    _number(config, "optimizer.head_lr_multiplier", above=0.0)
    _number(config, "loss.aux_weight", at_least=0.0)
    _number(config, "loss.presence_weight", at_least=0.0)
    _require(
        config,
        "parallel.backend",
        lambda value: value in ("pmap", "shard_map"),
        "'pmap' or 'shard_map'",
        "one of the two",
    )


def _folder(config: Config) -> None:
    """The description of the user's own pictures is whole, and there only if they are meant."""
    dataset = config.dataset
    if dataset.name == "folder":
        splits = parse_description(dataset.folder.to_dict()).splits.names
        for field in ("dataset.train_split", "dataset.eval_split"):
            _known(config, field, splits, "split of config.dataset.folder")
    elif dataset.folder:
        raise ConfigError(
            f"config.dataset.folder describes pictures of your own, but config.dataset.name is "
            f"{dataset.name!r}. Set it to 'folder', or leave config.dataset.folder empty."
        )


def _augment(config: Config) -> None:
    """The rules of the section `augment`; `seg_jax.data.augment` says what its fields do."""
    _pair(config, "augment.crop_size", optional=False)
    _known(config, "augment.resize", BASE_SIZES, "resize rule")
    sides, allowed, example = BASE_SIZES[config.augment.resize]
    _require(
        config,
        "augment.base_size",
        lambda value: (
            len(value) == sides and all(isinstance(side, int) and side > 0 for side in value)
        ),
        f"{allowed}, which config.augment.resize={config.augment.resize!r} takes",
        example,
    )
    for field, example in (("scale_range", "(0.5, 2.0)"), ("blur_sigma", "(0.1, 2.0)")):
        _require(
            config,
            f"augment.{field}",
            lambda value: len(value) == 2 and 0 < value[0] <= value[1],
            "(lowest, highest) with 0 < lowest <= highest",
            f"a range such as {example}",
        )
    low, high = config.augment.scale_range
    _require(
        config,
        "augment.scale_step",
        lambda value: (
            value >= 0 and (not value or isclose((high - low) / value, round((high - low) / value)))
        ),
        f"0 or a step that divides config.augment.scale_range={(low, high)} evenly",
        "0 for any scale of the range",
    )
    _require(
        config,
        "augment.pad_color",
        lambda value: len(value) == 3 and all(isinstance(c, int) and 0 <= c <= 255 for c in value),
        "three whole numbers from 0 to 255 (RGB)",
        "a colour such as (124, 116, 104)",
    )
    if config.augment.mix != "":
        _known(config, "augment.mix", MIXES, "mix")
    _number(config, "augment.max_class_ratio", above=0.0, at_most=1.0)
    _number(config, "augment.rotation", at_least=0.0, at_most=180.0)
    _number(config, "augment.elastic", at_least=0.0)
    _number(config, "augment.blur_probability", at_least=0.0, at_most=1.0)
    _number(config, "augment.mix_probability", at_least=0.0, at_most=1.0)
    _number(config, "augment.color_jitter", at_least=0.0, below=1.0)


def _same_fields(config: Config) -> None:
    """Every section and field of the base config, and no other; an architecture's are its own."""
    base = base_config()
    for name, expected in base.items():
        if name not in config:
            raise ConfigError(f"config.{name} is missing; start from seg_jax.config.base_config().")
        if name == "model" or not isinstance(expected, ConfigDict):
            continue
        for field in expected:
            if field not in config[name]:
                raise ConfigError(
                    f"config.{name}.{field} is missing; start from seg_jax.config.base_config()."
                )
        _no_others(config[name], expected, f"config.{name}")
    _no_others(config, base, "config")
    if "name" not in config.model:
        raise ConfigError("config.model.name is missing; set it to an architecture.")


def _no_others(section: Config, expected: Config, path: str) -> None:
    for field in section:
        if field not in expected:
            raise unknown_name(field, expected, kind=f"field in {path}:", field="the field")


def _get(config: Config, field: str) -> Any:
    value: Any = config
    for name in field.split("."):
        value = value[name]
    return value


def _known(config: Config, field: str, table: Iterable[str], kind: str) -> None:
    name = _get(config, field)
    if name not in table:
        raise unknown_name(name, table, kind=kind, field=f"config.{field}")


def _require(
    config: Config, field: str, rule: Callable[[Any], bool], allowed: str, fix: str
) -> None:
    value = _get(config, field)
    try:
        kept = bool(rule(value))
    except TypeError:
        kept = False
    if not kept:
        raise ConfigError(f"config.{field}={value!r} is not {allowed}. Set it to {fix}.")


def _whole(config: Config, field: str, lowest: int, highest: int | None = None) -> None:
    allowed = f"a whole number from {lowest}" + ("" if highest is None else f" to {highest}")
    _require(
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


def _number(
    config: Config,
    field: str,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> None:
    bounds = [
        (above, "above", lambda value: value > above),
        (at_least, "at least", lambda value: value >= at_least),
        (below, "below", lambda value: value < below),
        (at_most, "at most", lambda value: value <= at_most),
    ]
    bounds = [bound for bound in bounds if bound[0] is not None]
    allowed = "a number " + " and ".join(f"{word} {limit:g}" for limit, word, _ in bounds)
    _require(config, field, lambda value: all(rule(value) for *_, rule in bounds), allowed, "one")


def _pair(config: Config, field: str, *, optional: bool) -> None:
    _require(
        config,
        field,
        lambda value: (
            (optional and value == ())
            or (len(value) == 2 and all(isinstance(side, int) and side > 0 for side in value))
        ),
        "(height, width) in pixels" + (", or () for the stored size" if optional else ""),
        "a pair such as (96, 96)",
    )
