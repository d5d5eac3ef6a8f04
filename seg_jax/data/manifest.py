"""What a prepared split holds, read back from disk after it was written.

Beside the records of a split lies `manifest.<split>.json`: the size and the checksum of every
example, the pixels of every class, and one checksum over all of it, which appears in every
result. Taking them from the written records and not from what was meant to be written is a
check of the writer: a lost row or a flipped bit shows before the dataset counts as prepared.
"""

import concurrent.futures
import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seg_jax.cores import count_cores
from seg_jax.data.spec import DatasetSpec
from seg_jax.data.validate import Origin, decode_label
from seg_jax.files import read_json, write_json

_SHORT = 16
"""Hex digits kept of an image's SHA-256: enough to tell two of 10^7 images apart."""


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What is known about a split without decoding it.

    Attributes:
        num_examples: number of examples.
        sha256: checksum over the id, image and label (and instances) of every example, in order.
        sizes: (height, width) of every example.
        images: the first 16 hex digits of the SHA-256 of every image's bytes.
        pixels: pixels of every class id, those of IGNORE_LABEL last.
        present: images in which a class occurs, in the same order.
        around: all pixels of those images, void ones included.
    """

    num_examples: int
    sha256: str
    sizes: tuple[tuple[int, int], ...]
    images: tuple[str, ...]
    pixels: tuple[int, ...]
    present: tuple[int, ...]
    around: tuple[int, ...]


def make_manifest(
    records: Sequence[dict[str, Any]],
    spec: DatasetSpec,
    split: str,
    *,
    on_example: Callable[[], None] = lambda: None,
) -> Manifest:
    """Reads every record of a split, in threads.

    Args:
        records: what TFDS gives back with `SkipDecoding`: bytes under "image", "label", "id"
            and, for some, "instances".
        spec: the dataset.
        split: the split, for messages.
        on_example: called after every example.

    Raises:
        DataError: a label that was written does not decode.
    """

    def look(position: int) -> tuple[bytes, str, tuple[int, int], np.ndarray]:
        record = records[position]
        label = decode_label(record["label"], Origin(spec.name, split, record["id"].decode()))
        image = hashlib.sha256(record["image"]).hexdigest()
        whole = hashlib.sha256(record["id"] + b"\0" + image.encode())
        whole.update(hashlib.sha256(record["label"]).digest())
        whole.update(record.get("instances", b""))
        counts = np.bincount(label.ravel(), minlength=256)
        return whole.digest(), image[:_SHORT], label.shape, counts

    total = hashlib.sha256()
    sizes, images = [], []
    pixels, present, around = (np.zeros(256, np.int64) for _ in range(3))
    with concurrent.futures.ThreadPoolExecutor(count_cores()) as pool:
        for digest, image, size, counts in pool.map(look, range(len(records))):
            total.update(digest)
            sizes.append((int(size[0]), int(size[1])))
            images.append(image)
            pixels += counts
            present += counts > 0
            around += (counts > 0) * counts.sum()
            on_example()
    kept = [*range(spec.num_classes), 255]
    return Manifest(
        num_examples=len(records),
        sha256=total.hexdigest(),
        sizes=tuple(sizes),
        images=tuple(images),
        pixels=tuple(pixels[kept].tolist()),
        present=tuple(present[kept].tolist()),
        around=tuple(around[kept].tolist()),
    )


def write_manifest(folder: Path, split: str, manifest: Manifest) -> None:
    """Writes the manifest of a split beside its records."""
    values = dataclasses.asdict(manifest)
    values["sizes"] = [f"{height}x{width}" for height, width in manifest.sizes]
    write_json(_path(folder, split), values)


def read_manifest(folder: Path, split: str) -> Manifest:
    """Returns the manifest of a split.

    Raises:
        FileNotFoundError: there is none.
        JSONFileError: it is damaged.
    """
    values = read_json(_path(folder, split))
    return Manifest(
        num_examples=values["num_examples"],
        sha256=values["sha256"],
        sizes=tuple(_size(text) for text in values["sizes"]),
        images=tuple(values["images"]),
        pixels=tuple(values["pixels"]),
        present=tuple(values["present"]),
        around=tuple(values["around"]),
    )


def _size(text: str) -> tuple[int, int]:
    height, width = text.split("x")
    return int(height), int(width)


def _path(folder: Path, split: str) -> Path:
    return folder / f"manifest.{split}.json"
