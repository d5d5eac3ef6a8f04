"""Cuts a dataset into shards, each of which is read, checked, encoded and written by itself.

A shard is the unit of parallel work and of resuming. TFDS's own writer keeps a split in memory,
and the temporary files that it needs beyond 1 GB are written by TensorFlow; a shard is
written record by record and becomes one file of the prepared dataset as it is.
"""

import dataclasses
import errno
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from array_record.python.array_record_module import ArrayRecordWriter
from tensorflow_datasets.core.example_serializer import ExampleSerializer

from seg_jax.data.convert import convert
from seg_jax.data.items import Item, RawExample, Reader
from seg_jax.data.preparation import journal
from seg_jax.data.spec import DatasetSpec
from seg_jax.data.validate import DataError

SHARD_BYTES = 16 << 20
"""Bytes of images in a shard: some seconds of work, which is what a kill can cost."""

MAX_SHARDS = 256
"""Shards of a split at most: a reader holds every one of them open, and 1,024 open files is
a common limit of a process. Larger splits get larger shards."""


@dataclasses.dataclass(frozen=True)
class Shard:
    """Some neighbours of a split on their way into one file; pickles.

    Attributes:
        spec: the dataset.
        split: the split.
        items: the examples, in the order to store them.
        reader: reads an item.
        features: the TFDS features of the dataset.
        file: where the records go.
        fingerprint: of all that decides what the file will hold.
    """

    spec: DatasetSpec
    split: str
    items: tuple[Item, ...]
    reader: Reader
    features: Any
    file: Path
    fingerprint: str


class Outcome(NamedTuple):
    """What became of a shard.

    Attributes:
        split: its split.
        num_examples: items that were looked at.
        faults: a sentence for each faulty item; where there is one, no file was written.
    """

    split: str
    num_examples: int
    faults: tuple[str, ...]


class WriteError(OSError):
    """A shard could not be written; the message is the system's."""


def cut(num_items: int, num_bytes: int) -> Iterator[slice]:
    """Yields the positions of every shard of a split.

    Sizes are powers of two, so that one file more or less, or a repaired one, moves no border
    but the last and finished shards stay finished.

    Args:
        num_items: examples of the split.
        num_bytes: bytes of their images.
    """
    fitting = max(1, SHARD_BYTES * num_items // max(1, num_bytes))
    size = 1 << (fitting.bit_length() - 1)
    size = max(size, 1 << (math.ceil(num_items / MAX_SHARDS) - 1).bit_length())
    for first in range(0, num_items, size):
        yield slice(first, min(first + size, num_items))


def make_shards(
    spec: DatasetSpec,
    version: str,
    items: Mapping[str, Sequence[Item]],
    reader: Reader,
    features: Any,
    folder: Path,
) -> tuple[list[Shard], int]:
    """Returns the shards of all splits, and about how many bytes they will hold.

    Args:
        spec: the dataset.
        version: version of its builder.
        items: the examples of every split.
        reader: reads an item.
        features: the TFDS features of the dataset.
        folder: where the shards go.
    """
    shards, total = [], 0
    recipe = journal.recipe_digest(spec.name, version, spec.num_classes, reader, features)
    for split, members in items.items():
        stamps = [journal.stamp(item) for item in members]
        total += sum(stamp.image_bytes + stamp.label_bytes for stamp in stamps)
        for where in cut(len(members), sum(stamp.image_bytes for stamp in stamps)):
            name = f"{split}-{where.start:08d}.array_record"
            fingerprint = journal.fingerprint(recipe, split, stamps[where])
            part, file = tuple(members[where]), folder / name
            shards.append(Shard(spec, split, part, reader, features, file, fingerprint))
    return shards, total


def never() -> bool:
    """Returns False: nobody asks for the work to stop."""
    return False


def write_shard(shard: Shard, stopped: Callable[[], bool] = never) -> Outcome:
    """Writes one shard, all of it or nothing; goes on past faulty items to find them all.

    Args:
        shard: what to write.
        stopped: asked between items whether to give up.

    Raises:
        WriteError: the disk did not take it.
    """
    serializer = ExampleSerializer(shard.features.get_serialized_info())
    scratch = shard.file.with_name(f"incomplete.{os.getpid()}.{shard.file.name}")
    faults: list[str] = []
    num_bytes = 0
    try:
        with _Records(scratch) as records:
            for item in shard.items:
                if stopped():
                    return Outcome(shard.split, 0, ())
                try:
                    example = convert(shard.spec, shard.split, item, shard.reader)
                except DataError as fault:
                    faults.append(str(fault))
                    continue
                if not faults:
                    features = shard.features.encode_example(to_features(example))
                    # Not `serialize_example`: its order of fields changes from run to run.
                    record = serializer.get_tf_example(features)
                    num_bytes += records.write(record.SerializeToString(deterministic=True))
        if not faults:
            journal.keep(
                scratch,
                shard.file,
                shard.fingerprint,
                num_examples=len(shard.items),
                num_bytes=num_bytes,
            )
    finally:
        scratch.unlink(missing_ok=True)
    return Outcome(shard.split, len(shard.items), tuple(faults))


def to_features(example: RawExample) -> dict[str, Any]:
    """Returns an example as TFDS takes it."""
    features = {"image": example.image, "label": example.label, "id": example.id}
    if example.instances is not None:
        features["instances"] = example.instances
    return features


def _write_error(error: RuntimeError) -> WriteError:
    """Returns the error of the writer, which only its text names, with its number."""
    numbers = (number for number in errno.errorcode if os.strerror(number) in str(error))
    return WriteError(next(numbers, errno.EIO), str(error))


class _Records:
    """An ArrayRecord file that is being written; its errors come late, some only at the end."""

    def __init__(self, path: Path):
        self._path = path

    def __enter__(self) -> "_Records":
        try:
            self._writer = ArrayRecordWriter(os.fspath(self._path), "group_size:1")
        except RuntimeError as error:
            raise _write_error(error) from error
        return self

    def write(self, record: bytes) -> int:
        """Writes a record and returns its length."""
        try:
            self._writer.write(record)
        except RuntimeError as error:
            raise _write_error(error) from error
        return len(record)

    def __exit__(self, kind: type | None, *_: object) -> None:
        try:
            self._writer.close()
        except RuntimeError as error:
            if kind is None:
                raise _write_error(error) from error
