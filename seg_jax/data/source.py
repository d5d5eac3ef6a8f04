"""Random access to the decoded examples of a split, from disk or made on demand."""

import os
from pathlib import Path
from typing import Protocol, TypedDict, runtime_checkable

import numpy as np
import tensorflow_datasets as tfds
from jaxtyping import UInt8

from seg_jax import registry
from seg_jax.data import DATASETS
from seg_jax.data.spec import DatasetSpec
from seg_jax.data.validate import Origin, decode_image, decode_label

DATA_DIR_VARIABLE = "SEG_JAX_DATA"
"""Environment variable that overrides where prepared datasets lie by default."""

DEFAULT_DATA_DIR = Path("~/.cache/seg_jax/datasets")


class Example(TypedDict):
    """One decoded example.

    Attributes:
        image: RGB.
        label: class ids, IGNORE_LABEL where the pixel does not count; same size.
        id: name within the split.
    """

    image: UInt8[np.ndarray, "h w 3"]
    label: UInt8[np.ndarray, "h w"]
    id: str


@runtime_checkable
class Source(Protocol):
    """A split: a length, and an example for every position below it; safe from threads."""

    def __len__(self) -> int:
        """Returns the number of examples."""
        ...

    def __getitem__(self, index: int) -> Example:
        """Returns the example at a position in 0..len - 1."""
        ...


def spec_of(name: str) -> DatasetSpec:
    """Returns what the dataset of that name is.

    Raises:
        UnknownNameError: there is no such dataset.
    """
    return builder_class(name).SPEC


def builder_class(name: str) -> type:
    """Returns the builder of the dataset of that name.

    Raises:
        UnknownNameError: there is no such dataset.
    """
    return registry.resolve(name, DATASETS, kind="dataset", field="config.dataset.name")


def resolve_data_dir(data_dir: str | Path) -> Path:
    """Returns where prepared datasets lie.

    Args:
        data_dir: the folder, or empty for $SEG_JAX_DATA, or ~/.cache/seg_jax/datasets where
            that is not set either.
    """
    chosen = data_dir or os.environ.get(DATA_DIR_VARIABLE) or DEFAULT_DATA_DIR
    return Path(chosen).expanduser()


def open_source(name: str, split: str, *, data_dir: str | Path = "") -> Source:
    """Opens a split of a prepared dataset, or of one that is made on demand.

    Args:
        name: key of `DATASETS`.
        split: one of the splits of its spec.
        data_dir: see `resolve_data_dir`.

    Raises:
        UnknownNameError: there is no such dataset or split.
        FileNotFoundError: the dataset or the split has not been prepared.
    """
    cls = builder_class(name)
    if split not in cls.SPEC.splits:
        raise registry.unknown_name(
            split,
            cls.SPEC.splits,
            kind=f"split of dataset {name!r}",
            field="config.dataset.train_split or eval_split",
        )
    virtual = cls.virtual_source(split)
    return PreparedSource(cls, split, data_dir=data_dir) if virtual is None else virtual


class PreparedSource:
    """A split on disk, as written by `prepare`; decodes on access."""

    def __init__(self, builder: type, split: str, *, data_dir: str | Path = ""):
        """Opens the split.

        Args:
            builder: subclass of SegmentationBuilder.
            split: name of the split.
            data_dir: see `resolve_data_dir`.

        Raises:
            FileNotFoundError: the dataset or the split has not been prepared.
        """
        root = resolve_data_dir(data_dir)
        prepared = builder(data_dir=root)
        self._name, self._split = prepared.name, split
        command = f"python launch.py prepare --dataset={self._name} --manual_dir=FOLDER"
        if not Path(prepared.data_dir).exists():
            raise FileNotFoundError(
                f"Dataset {self._name!r} has not been prepared in {root}. Run `{command}` "
                "(without --manual_dir to download it), or set config.dataset.data_dir or "
                f"${DATA_DIR_VARIABLE} to the folder that holds it."
            )
        if split not in prepared.info.splits:
            raise FileNotFoundError(
                f"Split {split!r} of {self._name!r} was missing when the dataset was prepared; "
                f"present: {', '.join(prepared.info.splits)}. Add its files, delete "
                f"{prepared.data_dir} and run `{command}` again."
            )
        skip = tfds.decode.SkipDecoding()
        decoders = {"image": skip, "label": skip}
        self._records = prepared.as_data_source(split, decoders=decoders)

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> Example:
        if not 0 <= index < len(self):
            raise IndexError(f"Position {index} is not in 0..{len(self) - 1}.")
        record = self._records[index]
        origin = Origin(self._name, self._split, record["id"].decode())
        image = decode_image(record["image"], origin)
        label = decode_label(record["label"], origin)
        if image.shape[:2] != label.shape:
            raise origin.fault("label", f"does not fit its image. {origin.remedy()}")
        return {"image": image, "label": label, "id": origin.id}
