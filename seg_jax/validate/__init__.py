"""Every rule that a config has to keep, checked before anything is built. Imports no jax."""

from ml_collections import ConfigDict

from seg_jax.config import Config, ConfigError, base_config
from seg_jax.data import DATASETS
from seg_jax.data.folder.description import parse_description
from seg_jax.models import MODELS
from seg_jax.registry import unknown_name
from seg_jax.validate.augment import validate_augment
from seg_jax.validate.evaluate import validate_evaluate
from seg_jax.validate.paper import validate_paper
from seg_jax.validate.rules import known, pair, require, whole
from seg_jax.validate.train import validate_train
from seg_jax.weights import TRAINED, WEIGHTS


def validate(config: Config) -> None:
    """Refuses a config that could not run, or would not do what it says.

    Raises:
        ConfigError: a value is out of its range, or two fields contradict each other.
        UnknownNameError: a section, a field or a name is not known.
    """
    _same_fields(config)
    known(config, "dataset.name", DATASETS, "dataset")
    _folder(config)
    known(config, "model.name", MODELS, "model")
    if config.weights.name:
        known(config, "weights.name", (*WEIGHTS, TRAINED), "weights")
        require(config, "weights.path", bool, f"where to find {config.weights.name}", "a path")
        if config.weights.name != TRAINED and "backbone" not in config.model:
            raise ConfigError(
                f"config.weights.name={config.weights.name!r} initialises a backbone, and model "
                f"{config.model.name!r} has none. Set config.model.backbone, or "
                f"config.weights.name to ''."
            )
    whole(config, "seed", 0, 2**32 - 1)
    whole(config, "dataset.num_workers", 0)
    whole(config, "dataset.max_bad_examples", 0)
    pair(config, "dataset.size", optional=True)
    validate_augment(config)
    validate_train(config)
    validate_evaluate(config)
    validate_paper(config)


def _folder(config: Config) -> None:
    """The description of the user's own pictures is whole, and there only if they are meant."""
    dataset = config.dataset
    if dataset.name == "folder":
        splits = parse_description(dataset.folder.to_dict()).splits.names
        for field in ("dataset.train_split", "dataset.eval_split"):
            known(config, field, splits, "split of config.dataset.folder")
    elif dataset.folder:
        raise ConfigError(
            f"config.dataset.folder describes pictures of your own, but config.dataset.name is "
            f"{dataset.name!r}. Set it to 'folder', or leave config.dataset.folder empty."
        )


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
