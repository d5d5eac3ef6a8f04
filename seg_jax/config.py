"""Experiment configs: their fields, how they are loaded, changed and checked. Imports no jax.

An experiment is a Python file with `get_config()` and, for more than one trial, `sweep()`.
Running one executes its code; the resolved config of every trial is written as JSON, and a
trial can be run again from that alone.
"""

import ast
import copy
import dataclasses
import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ml_collections import ConfigDict

from seg_jax.defaults import FIELDS
from seg_jax.files import read_json
from seg_jax.registry import unknown_name

if TYPE_CHECKING:
    # ConfigDict types a field as any of the types a field may have: no use of one would pass.
    Config: TypeAlias = Any
else:
    Config = ConfigDict

OPEN_SECTIONS = (
    "model",
    "model.backbone",
    "model.norm",
    "dataset.folder",
    "loss.terms",
    "paper.further",
)
"""Sections whose fields an architecture, a backbone, the user's own folder of pictures, a loss or
a paper's table defines; they are checked when that is built."""


class ConfigError(ValueError):
    """A config that cannot be run; the message names the field and what it allows."""


@dataclasses.dataclass(frozen=True)
class Experiment:
    """An experiment file, loaded.

    Attributes:
        name: the file's path below `experiments/`, or else its name, without its ending.
        config: the base config.
        overrides: what each trial of the sweep changes; one empty mapping without `sweep()`.
        description: the file's docstring.
        missing: rows of a paper's table that are no trials, each with the reason.
    """

    name: str
    config: Config
    overrides: tuple[Mapping[str, Any], ...]
    description: str = ""
    missing: Mapping[str, str] = dataclasses.field(default_factory=dict)


def base_config() -> Config:
    """Returns every field with its default; an experiment sets what it cares about."""
    return ConfigDict(copy.deepcopy(FIELDS)).lock()


def load_experiment(path: str) -> Experiment:
    """Loads an experiment file, or a trial's `config.json`.

    Raises:
        ConfigError: the file is missing, or is no experiment.
    """
    file = Path(path)
    if not file.is_file():
        raise ConfigError(
            f"No experiment at {path}. Set --config to a file such as experiments/quickstart.py."
        )
    if file.suffix == ".json":
        config = from_dict(read_json(file))
        return Experiment(str(config.experiment), config, ({},))
    spec = importlib.util.spec_from_file_location(f"experiment_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} is neither a .py experiment nor a trial's config.json.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    get_config: Callable[[], Config] | None = getattr(module, "get_config", None)
    if get_config is None:
        raise ConfigError(f"{path} has no get_config(); see experiments/quickstart.py for one.")
    config = get_config()
    config.experiment = _name(file)
    sweep: Callable[[], Iterator[Mapping[str, Any]]] | None = getattr(module, "sweep", None)
    return Experiment(
        config.experiment,
        config,
        tuple(sweep()) if sweep else ({},),
        description=(module.__doc__ or "").strip(),
        missing=dict(getattr(module, "MISSING", {})),
    )


def _name(file: Path) -> str:
    """Names an experiment so that tables of different papers keep apart."""
    parts = file.resolve().with_suffix("").parts
    if "experiments" not in parts:
        return file.stem
    last = len(parts) - 1 - parts[::-1].index("experiments")
    return "/".join(parts[last + 1 :])


def apply_overrides(config: Config, overrides: Mapping[str, Any]) -> Config:
    """Returns a copy of `config` with dotted fields set; a mapping replaces a whole section.

    Raises:
        ConfigError: a value has the wrong type.
        UnknownNameError: no such field; the message names the nearest one.
    """
    result = ConfigDict(config.to_dict()).lock()
    for field, value in overrides.items():
        *parents, leaf = field.split(".")
        section, path = result, ""
        for name in parents:
            path = f"{path}.{name}" if path else name
            section = _section(section, name, field)
        with section.unlocked():
            section[leaf] = _checked(section, leaf, value, field, open_=_is_open(path))
    return result


def _is_open(path: str) -> bool:
    return path in OPEN_SECTIONS or path.startswith("loss.terms.")


def _section(section: Config, name: str, field: str) -> Config:
    if name not in section or not isinstance(section[name], ConfigDict):
        sections = [key for key in section if isinstance(section[key], ConfigDict)]
        raise unknown_name(name, sections, kind="config section", field=f"--config.{field}")
    return section[name]


def _checked(section: Config, leaf: str, value: Any, field: str, *, open_: bool) -> Any:
    """Returns `value` in the type of the field it replaces."""
    if leaf not in section:
        if open_:
            return _to_config(value)
        raise unknown_name(leaf, section, kind="config field", field=f"--config.{field}")
    old, value = section[leaf], _to_config(value)
    if isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(old) is not type(value) and old is not None:
        given = f"{type(value).__name__} {value!r}"
        wanted = "section" if isinstance(old, ConfigDict) else type(old).__name__
        raise ConfigError(f"config.{field} takes a {wanted}, such as {old!r}, not the {given}.")
    return value


def parse_override(argument: str) -> tuple[str, Any]:
    """Splits "--config.train.num_steps=100" into ("train.num_steps", 100).

    Values are Python literals; what is none is taken as text, so names need no quotes.

    Raises:
        ConfigError: the argument has no field or no value.
    """
    field, equals, text = argument.removeprefix("--config.").partition("=")
    if not argument.startswith("--config.") or not field or not equals:
        raise ConfigError(
            f"{argument!r} is not understood; a field is set as --config.train.num_steps=100."
        )
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = {"true": True, "false": False}.get(text.lower(), text)
    return field, value


def to_dict(config: Config) -> dict[str, Any]:
    """Returns the config as plain JSON values; tuples become lists."""
    return json.loads(json.dumps(config.to_dict()))


def from_dict(values: Mapping[str, Any]) -> Config:
    """Returns the locked config of plain JSON values; lists become tuples."""
    # Published figures decide nothing, and older trials have none.
    return _to_config({"paper": FIELDS["paper"], **values}).lock()


def _to_config(value: Any) -> Any:
    if isinstance(value, ConfigDict):
        return ConfigDict(value.to_dict())
    if isinstance(value, Mapping):
        return ConfigDict({key: _to_config(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(_to_config(item) for item in value)
    return value
