"""A network to predict with: from published weights, from an imported file, or from a trial."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import flax.linen as nn

from seg_jax.config import Config
from seg_jax.data.palettes import VOC_CLASSES, voc_palette
from seg_jax.preprocess import Preprocessing
from seg_jax.registry import unknown_name
from seg_jax.start import restore
from seg_jax.weights import REFERENCES, load_reference
from seg_jax.weights.files import read_tensors
from seg_jax.weights.load import LoadedReference
from seg_jax.weights.native import Labels, read_network, source_of

TFLITE_SOURCE = "tflite/deeplabv3_mnv2"
"""What a .tflite file is taken for where nothing else is said: the one such network there is."""


@dataclasses.dataclass(frozen=True)
class Network:
    """A network, its weights, and what belongs to them.

    Attributes:
        origin: where the weights come from, for the summary.
        model: maps (variables, image, train=) to `Outputs`.
        variables: {"params": ..., "batch_stats": ...}.
        preprocessing: input statistics of the weights.
        input_size: (height, width) of the only input it is meant for, if there is one.
        labels: names and colours of its classes.
        averaged: how pictures are reduced for it, see `Predictor`.
    """

    origin: str
    model: nn.Module
    variables: Mapping[str, Any]
    preprocessing: Preprocessing
    input_size: tuple[int, int] | None
    labels: Labels
    averaged: bool = True


def known_labels(num_classes: int) -> Labels | None:
    """Returns VOC's classes where there are 21, as published networks have them; else `None`."""
    if num_classes != len(VOC_CLASSES):
        return None
    return Labels(VOC_CLASSES, voc_palette(num_classes))


def load_published(path: Path, source: str, num_classes: int) -> LoadedReference:
    """Loads the published network `source` from a weights file of its publisher.

    Raises:
        UnknownNameError: `source` is not in `REFERENCES`.
        FileNotFoundError: there is no file at `path`.
        WeightsError: the file is damaged, or does not fit the network key by key.
    """
    if source not in REFERENCES:  # before a large file is read
        raise unknown_name(source, REFERENCES, kind="published network", field="--source")
    return load_reference(source, read_tensors(path), num_classes=num_classes)


def from_file(path: Path, source: str, num_classes: int) -> Network:
    """Loads a network from a file of `launch.py import`, or from published weights.

    Args:
        path: the file.
        source: key of `REFERENCES`; "" takes what an imported file says, or for a .tflite file
            the one network there is.
        num_classes: channels of a published network's logits; an imported file knows its own.

    Raises:
        ValueError: `source` is missing or contradicts the file.
        FileNotFoundError, WeightsError, UnknownNameError: as `load_published`.
    """
    imported = source_of(path)
    if imported is not None:
        if source and source != imported:
            raise ValueError(
                f"{str(path)!r} was imported from {imported!r}, not {source!r}. Leave --source out."
            )
        loaded = read_network(path)
        labels = loaded.labels
    else:
        source = source or (TFLITE_SOURCE if path.suffix.lower() == ".tflite" else "")
        if not source:
            read_tensors(path)  # refuses what is missing or damaged, an imported file among it
            raise ValueError(
                f"{str(path)!r} does not say which network it belongs to. Set --source to one of "
                f"{', '.join(sorted(REFERENCES))}."
            )
        loaded = load_published(path, source, num_classes)
        labels = known_labels(num_classes)
    return Network(
        loaded.source,
        loaded.model,
        loaded.variables,
        loaded.preprocessing,
        loaded.input_size,
        labels or _numbered(loaded.num_classes),
    )


def from_trial(config: Config, workdir: Path) -> Network:
    """Loads the newest checkpoint of a trained trial.

    A trial on a resized dataset sees pictures at that size, too, and resized the same way, so
    that pictures of its dataset are predicted as they were in its evaluation.

    Raises:
        ConfigError: there is no checkpoint.
    """
    task, state = restore(config, workdir)
    size = tuple(config.dataset.size)
    return Network(
        f"trial {workdir.name}, {config.model.name}",
        task.model,
        state.variables,
        task.preprocessing,
        (size[0], size[1]) if size else None,
        Labels(task.spec.classes, task.spec.palette),
        averaged=not size,
    )


def _numbered(num_classes: int) -> Labels:
    names = tuple(f"class {index}" for index in range(num_classes))
    return Labels(names, voc_palette(num_classes))
