"""Which shards are finished: what a preparation that was interrupted does not do again.

Beside a finished shard lies a small JSON file: a fingerprint of all that decided what the
shard holds, and the checksum of the shard. A shard counts as finished only where both still
fit: files that were changed meanwhile, and shards that were damaged, are converted again.
"""

import hashlib
import inspect
import os
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from absl import logging

from seg_jax.data.items import Item
from seg_jax.files import read_json, write_json

_PROTOCOL = 4
"""Of pickle: the same bytes from every Python."""


class Stamp(NamedTuple):
    """What tells whether an item is still the same, and its size.

    Attributes:
        digest: of its id, its annotation, and the size and time of change of its files.
        image_bytes: size of the image's file.
        label_bytes: size of the label's file; an eighth of the image's where it has none.
    """

    digest: bytes
    image_bytes: int
    label_bytes: int


class Entry(NamedTuple):
    """What is known about a finished shard.

    Attributes:
        sha256: checksum of its file.
        num_examples: number of its records.
        num_bytes: bytes of its records.
    """

    sha256: str
    num_examples: int
    num_bytes: int


def stamp(item: Item) -> Stamp:
    """Returns the stamp of an item; files that are not there count as empty."""
    image_bytes, image_time = _stat(item.image)
    label_bytes, label_time = _stat(item.label) if item.label else (image_bytes // 8, 0)
    others = [_stat(path) for path in _paths(item.annotation)]
    annotation = hashlib.sha256(pickle.dumps(item.annotation, _PROTOCOL)).digest()
    facts = (item.id, image_bytes, image_time, label_bytes, label_time, others, annotation)
    return Stamp(hashlib.sha256(repr(facts).encode()).digest(), image_bytes, label_bytes)


def recipe_digest(*facts: Any) -> bytes:
    """Returns a digest of what is done to every item alike.

    A reader counts with its arguments and with the source of its module: labels of an older
    and of a corrected reader are never mixed.
    """
    total = hashlib.sha256()
    for fact in facts:
        total.update(hashlib.sha256(pickle.dumps(fact, _PROTOCOL)).digest())
        if callable(fact):
            total.update(_source_of(fact))
    return total.digest()


def fingerprint(recipe: bytes, split: str, stamps: Sequence[Stamp]) -> str:
    """Returns the fingerprint of a shard in hex."""
    total = hashlib.sha256(recipe + split.encode())
    for item in stamps:
        total.update(item.digest)
    return total.hexdigest()


def keep(scratch: Path, file: Path, fingerprint: str, *, num_examples: int, num_bytes: int) -> None:
    """Moves a written shard to its name and notes it as finished.

    The content reaches the disk before the note does.
    """
    with scratch.open("rb") as written:
        os.fsync(written.fileno())
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    scratch.replace(file)
    entry = Entry(digest, num_examples, num_bytes)
    write_json(_note(file), {"fingerprint": fingerprint, **entry._asdict()})


def finished(file: Path, fingerprint: str) -> Entry | None:
    """Returns what is known about a shard, or None where it has to be written."""
    entry = noted(file, fingerprint)
    if entry is None:
        return None
    with file.open("rb") as written:
        if hashlib.file_digest(written, "sha256").hexdigest() != entry.sha256:
            logging.warning("%s is damaged; it is converted again.", file)
            return None
    return entry


def noted(file: Path, fingerprint: str) -> Entry | None:
    """Returns what the note of a shard says, without a look into the shard."""
    if not file.exists() or not _note(file).exists():
        return None
    try:
        entry = read_json(_note(file))
        if entry.pop("fingerprint") != fingerprint:
            return None
        return Entry(**entry)
    except (ValueError, KeyError, TypeError) as error:
        logging.warning("%s is damaged (%s); its shard is converted again.", _note(file), error)
        return None


def discard_others(folder: Path, files: Sequence[Path]) -> None:
    """Removes from the folder of shards what is none of `files` and no note of one."""
    kept = {*files, *map(_note, files)}
    for path in folder.iterdir():
        if path not in kept:
            path.unlink()


def _note(file: Path) -> Path:
    return file.with_suffix(".json")


def _stat(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _paths(annotation: Any, depth: int = 2) -> Iterator[Path]:
    """Yields the files that an annotation names: itself, its parts, or theirs.

    Not deeper: below lie the thousands of coordinates of polygons.
    """
    if isinstance(annotation, Path):
        yield annotation
    elif depth and isinstance(annotation, (tuple, list, dict)):
        parts = annotation.values() if isinstance(annotation, dict) else annotation
        for part in parts:
            yield from _paths(part, depth - 1)


def _source_of(reader: Any) -> bytes:
    function = getattr(reader, "func", reader)
    path = inspect.getsourcefile(function)
    return Path(path).read_bytes() if path else b""
