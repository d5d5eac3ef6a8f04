"""What an evaluation counted in every image, kept so that any statistic can be computed again.

A file holds the names of the images and their counters; of a counter only what is not 0, since a
picture shows few of 150 classes and the confusion matrices of a split are mostly empty. It is a
compressed .npz without pickles: reading one executes nothing. Imports no jax.
"""

import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

RECORDS_FILE = "per_image.npz"
"""Records of the evaluation at the end of training, in the trial's folder."""

_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    NotImplementedError,
    RuntimeError,
)
"""What numpy and zipfile raise on a damaged archive."""


class RecordsError(ValueError):
    """A file of records that is missing, damaged or something else; the message says which."""


class Records(NamedTuple):
    """The counters of every evaluated image.

    Attributes:
        ids: names of the images, each once.
        counters: by name, integers or floats [n, ...] that add up over images, in the order of
            `ids`; "confusion" is the confusion matrix [n, k, k].
    """

    ids: tuple[str, ...]
    counters: dict[str, np.ndarray]


def write_records(path: Path, ids: Sequence[str], counters: Mapping[str, np.ndarray]) -> None:
    """Replaces `path` by the counters of `ids` atomically.

    Raises:
        ValueError: an image occurs twice, or a counter is not of as many images.
    """
    if len(set(ids)) != len(ids):
        twice = next(name for name in ids if list(ids).count(name) > 1)
        raise ValueError(f"Image {twice!r} was evaluated twice; {path} takes every image once.")
    arrays: dict[str, np.ndarray] = {"ids": np.array(ids, str), "names": np.array([*counters], str)}
    for place, (name, values) in enumerate(counters.items()):
        if len(values) != len(ids):
            raise ValueError(
                f"Counter {name!r} is of {len(values)} images, but {path} takes {len(ids)}."
            )
        index = np.flatnonzero(values)
        # Steps from one to the next are small numbers, which compress well.
        arrays[f"step_{place}"] = _narrow(np.diff(index, prepend=0))
        arrays[f"value_{place}"] = _narrow(values.reshape(-1)[index])
        arrays[f"shape_{place}"] = np.array(values.shape, np.int64)
        arrays[f"type_{place}"] = np.array(values.dtype.str)
    # Named by process: a leftover of a killed writer is never half of somebody else's file.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_records(path: Path) -> Records:
    """Reads what `write_records` wrote: the same names, numbers and types.

    Raises:
        RecordsError: there is no such file, or it is damaged or something else.
    """
    try:
        # Opened here: numpy leaves the file open where the archive is damaged.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return _records({name: archive[name] for name in archive.files})
    except FileNotFoundError as error:
        raise RecordsError(f"{path} does not exist; evaluate the trial again.") from error
    except _DAMAGED as error:
        reason = f"{type(error).__name__}: {error}"
        raise RecordsError(
            f"{path} is damaged or holds no records of images ({reason}); evaluate the trial again."
        ) from error


def _records(arrays: Mapping[str, np.ndarray]) -> Records:
    ids = tuple(arrays["ids"].tolist())
    counters = {}
    for place, name in enumerate(arrays["names"].tolist()):
        shape = tuple(arrays[f"shape_{place}"].tolist())
        if shape[0] != len(ids):
            raise ValueError(f"counter {name!r} is not of {len(ids)} images")
        values = np.zeros(int(np.prod(shape)), np.dtype(str(arrays[f"type_{place}"])))
        index = np.cumsum(arrays[f"step_{place}"], dtype=np.int64)
        values[index] = arrays[f"value_{place}"]
        counters[name] = values.reshape(shape)
    return Records(ids, counters)


def _narrow(values: np.ndarray) -> np.ndarray:
    """Returns counts in the narrowest type that holds all of them, anything else as it is."""
    if not np.issubdtype(values.dtype, np.integer) or not values.size or values.min() < 0:
        return values
    return values.astype(np.min_scalar_type(values.max()))
