"""Opens splits: those on disk, those made on demand, and those seen through others."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from jaxtyping import UInt16

from seg_jax import registry
from seg_jax.data.catalogue import DATA_DIR_VARIABLE, builder_class, resolve_data_dir
from seg_jax.data.derive import derive
from seg_jax.data.example import Example, Source
from seg_jax.data.manifest import Manifest, read_manifest
from seg_jax.data.validate import Origin, decode_image, decode_instances, decode_label


def open_source(
    name: str,
    split: str,
    *,
    data_dir: str | Path = "",
    folder: Mapping[str, Any] | None = None,
) -> Source:
    """Opens a split of a prepared dataset, of one made on demand, or a view of others.

    Args:
        name: key of `DATASETS`.
        split: one of the stored or derived splits of its spec.
        data_dir: see `resolve_data_dir`.
        folder: what the dataset `folder` is, see `datasets.folder`.

    Raises:
        UnknownNameError: there is no such dataset or split.
        FileNotFoundError: the dataset or the split has not been prepared.
    """
    cls = builder_class(name, folder)
    if split not in cls.SPEC.all_splits:
        raise registry.unknown_name(
            split,
            cls.SPEC.all_splits,
            kind=f"split of dataset {name!r}",
            field="config.dataset.train_split or eval_split",
        )

    def stored(split: str) -> Source:
        return cls.virtual_source(split) or PreparedSource(cls, split, data_dir=data_dir)

    derived = cls.SPEC.derived.get(split)
    return stored(split) if derived is None else derive(derived, [*map(stored, derived.of)])


class PreparedSource:
    """A split on disk, as written by `prepare`; decodes on access."""

    def __init__(self, builder: type, split: str, *, data_dir: str | Path = ""):
        """Opens the split.

        Args:
            builder: subclass of SegmentationBuilder.
            split: name of the stored split.
            data_dir: see `resolve_data_dir`.

        Raises:
            FileNotFoundError: the dataset or the split has not been prepared.
        """
        root = resolve_data_dir(data_dir)
        prepared = builder(data_dir=root)
        self._name, self._split = builder.SPEC.name, split
        self._folder = Path(prepared.data_dir)
        command = _prepare_command(builder)
        if not self._folder.exists():
            raise FileNotFoundError(
                f"Dataset {self._name!r} has not been prepared in {root}. Run `{command}`, or "
                f"set config.dataset.data_dir or ${DATA_DIR_VARIABLE} to the folder that holds it."
            )
        if split not in prepared.info.splits:
            raise FileNotFoundError(
                f"Split {split!r} of {self._name!r} was missing when the dataset was prepared; "
                f"present: {', '.join(prepared.info.splits)}. Add its files, delete "
                f"{self._folder} and run `{command}` again."
            )
        self._records = read_records(prepared, split)

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> Example:
        record = self.record(index)
        origin = Origin(self._name, self._split, record["id"].decode())
        image = decode_image(record["image"], origin)
        label = decode_label(record["label"], origin)
        if image.shape[:2] != label.shape:
            raise origin.fault("label", f"does not fit its image. {origin.remedy()}")
        return {"image": image, "label": label, "id": origin.id}

    def record(self, index: int) -> dict[str, Any]:
        """Returns the encoded example at a position: bytes by feature."""
        if not 0 <= index < len(self):
            raise IndexError(f"Position {index} is not in 0..{len(self) - 1}.")
        return self._records[index]

    def instances(self, index: int) -> UInt16[np.ndarray, "h w"]:
        """Returns the number of the object that each pixel of an example belongs to, 0 for none.

        Raises:
            LookupError: the dataset knows no objects.
            DataError: the map does not decode.
        """
        record = self.record(index)
        if "instances" not in record:
            raise LookupError(f"Dataset {self._name!r} knows no objects; its labels are classes.")
        return decode_instances(
            record["instances"], Origin(self._name, self._split, record["id"].decode())
        )

    @functools.cached_property
    def manifest(self) -> Manifest:
        """What is known about the split without decoding it."""
        return read_manifest(self._folder, self._split)

    def size(self, index: int) -> tuple[int, int]:
        """Returns (height, width) of an example without decoding it."""
        return self.manifest.sizes[index]

    @property
    def checksum(self) -> str:
        """SHA-256 over every example, taken when the dataset was prepared."""
        return self.manifest.sha256


def _prepare_command(builder: type) -> str:
    """Returns the command that prepares a dataset, with what it needs beside the name."""
    spec = builder.SPEC
    if spec.name.startswith("folder/"):
        return "python launch.py prepare --config=EXPERIMENT"
    by_hand = "" if spec.archives else " --manual_dir=FOLDER"
    return f"python launch.py prepare --dataset={spec.name}{by_hand}"


def read_records(prepared: Any, split: str) -> Sequence[dict[str, Any]]:
    """Opens the records of a split of a prepared SegmentationBuilder, pictures left encoded."""
    skip = tfds.decode.SkipDecoding()
    pictures = ("image", "label", "instances") if prepared.INSTANCES else ("image", "label")
    return prepared.as_data_source(split, decoders=dict.fromkeys(pictures, skip))
