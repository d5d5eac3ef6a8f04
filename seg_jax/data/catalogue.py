"""Finds datasets by name, and where they lie when prepared."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seg_jax import registry
from seg_jax.data import DATASETS
from seg_jax.data.spec import DatasetSpec

DATA_DIR_VARIABLE = "SEG_JAX_DATA"
"""Environment variable that overrides where prepared datasets lie by default."""

OWN = "folder"
"""The dataset that a config describes: its entry makes a builder of a description."""

DEFAULT_DATA_DIR = Path("~/.cache/seg_jax/datasets")


def spec_of(name: str, folder: Mapping[str, Any] | None = None) -> DatasetSpec:
    """Returns what the dataset of that name is.

    Args:
        name: key of `DATASETS`.
        folder: what the dataset `folder` is, see `datasets.folder`; of no meaning to others.

    Raises:
        UnknownNameError: there is no such dataset.
    """
    return builder_class(name, folder).SPEC


def builder_class(name: str, folder: Mapping[str, Any] | None = None) -> type:
    """Returns the builder of the dataset of that name.

    Args:
        name: key of `DATASETS`.
        folder: what the dataset `folder` is, see `datasets.folder`; of no meaning to others.

    Raises:
        UnknownNameError: there is no such dataset.
        ValueError: the description of `folder` is faulty.
    """
    found = registry.resolve(name, DATASETS, kind="dataset", field="config.dataset.name")
    if name == OWN:
        return found({} if folder is None else folder)
    return found


def resolve_data_dir(data_dir: str | Path) -> Path:
    """Returns where prepared datasets lie.

    Args:
        data_dir: the folder, or empty for $SEG_JAX_DATA, or ~/.cache/seg_jax/datasets where
            that is not set either.
    """
    chosen = data_dir or os.environ.get(DATA_DIR_VARIABLE) or DEFAULT_DATA_DIR
    return Path(chosen).expanduser()
