"""Looks at a prepared dataset, one made on demand, or a view of either.

The manifest answers at once; decoding every record checks, besides, that it still is what was
written.
"""

import functools
import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from seg_jax.data.catalogue import builder_class, resolve_data_dir
from seg_jax.data.doctor.derived import members
from seg_jax.data.doctor.examined import Examined
from seg_jax.data.doctor.facts import (
    Fault,
    Look,
    SplitFacts,
    collect,
    count_classes,
    is_unlabelled,
)
from seg_jax.data.example import Example, Source
from seg_jax.data.manifest import Manifest, read_manifest
from seg_jax.data.preparation.progress import SILENT, Progress
from seg_jax.data.source import PreparedSource, open_source
from seg_jax.data.spec import DatasetSpec
from seg_jax.data.validate import Origin, check_parts, decode_image, decode_label

PIXELS_AT_ONCE = 500_000_000
"""Pixels up to which a dataset is decoded without being asked: about ten seconds a core."""


def examine_prepared(
    name: str,
    splits: Sequence[str],
    *,
    data_dir: str | Path = "",
    folder: Mapping[str, Any] | None = None,
    decode: bool | None = None,
    progress: Progress = SILENT,
) -> dict[str, Examined]:
    """Looks at splits of a dataset that `source.open_source` opens.

    Args:
        name: key of `DATASETS`.
        splits: stored or derived splits.
        data_dir: see `catalogue.resolve_data_dir`.
        folder: what the dataset `folder` is, see `datasets.folder`.
        decode: whether to decode every record of a stored split; None decodes where all of
            them together are small. What has no manifest is always decoded.
        progress: told what is looked at.

    Raises:
        UnknownNameError: there is no such dataset or split.
        FileNotFoundError: the dataset or a split has not been prepared.
    """
    cls = builder_class(name, folder)
    spec = cls.SPEC
    _require_manifests(cls, data_dir, splits)
    open_ = functools.partial(open_source, name, data_dir=data_dir, folder=folder)
    opened = {split: open_(split) for split in splits}
    if decode is None:
        decode = sum(map(_num_pixels, opened.values())) <= PIXELS_AT_ONCE
    return {
        split: _examine(spec, split, source, open_, decode, progress)
        for split, source in opened.items()
    }


def stored_splits(cls: type, data_dir: str | Path = "") -> list[str]:
    """Returns the stored splits that are there, those of probes left out.

    Args:
        cls: the builder of the dataset.
        data_dir: see `catalogue.resolve_data_dir`.

    Raises:
        FileNotFoundError: the dataset has not been prepared.
    """
    spec = cls.SPEC
    probes = {probe.split(level) for probe in spec.probes for level in probe.levels}
    wanted = [split for split in spec.splits if split not in probes]
    if cls.virtual_source(wanted[0]) is not None:
        return wanted
    builder = cls(data_dir=resolve_data_dir(data_dir))
    there = builder.info.splits if Path(builder.data_dir).exists() else ()
    # Where none is there, opening the first says so.
    return [split for split in wanted if split in there] or wanted[:1]


def _num_pixels(source: Source) -> int:
    return sum(height * width for height, width in map(source.size, range(len(source))))


def _require_manifests(cls: type, data_dir: str | Path, splits: Sequence[str]) -> None:
    """Refuses a prepared set that has no manifests; says nothing where none is prepared."""
    spec = cls.SPEC
    builder = cls(data_dir=resolve_data_dir(data_dir))
    folder = Path(builder.data_dir)
    there = builder.info.splits if folder.exists() else ()
    derived = [spec.derived[split].of if split in spec.derived else (split,) for split in splits]
    for split in itertools.chain.from_iterable(derived):
        try:
            if split in there:
                read_manifest(folder, split)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"Split {split!r} of {spec.name!r} has no manifest ({error.filename}): an older "
                f"version prepared it. {_AGAIN}"
            ) from error


def _examine(
    spec: DatasetSpec,
    split: str,
    source: Source,
    open_: Callable[[str], Source],
    decode: bool,
    progress: Progress,
) -> Examined:
    if isinstance(source, PreparedSource):
        if not decode:
            facts = _of_manifest(spec, split, source.manifest)
        else:
            look = functools.partial(_look_at_record, spec, split, source)
            facts = collect(split, spec, len(source), look, progress=progress)
        return Examined(facts, source.__getitem__, lambda i: source.record(i)["id"].decode())
    hashes = _hashes(spec, split, open_)
    facts = collect(
        split,
        spec,
        len(source),
        lambda position: _look_at_example(spec, split, source, hashes, position),
        progress=progress,
    )
    return Examined(facts, source.__getitem__, lambda i: source[i]["id"])


def _of_manifest(spec: DatasetSpec, split: str, manifest: Manifest) -> SplitFacts:
    return SplitFacts(
        name=split,
        published=spec.splits.get(split),
        count=manifest.num_examples,
        decoded=False,
        unlabelled=is_unlabelled(spec, split),
        sizes=dict(Counter(manifest.sizes)),
        images=manifest.images,
        pixels=manifest.pixels,
        present=manifest.present,
        around=manifest.around,
    )


def _look_at_record(
    spec: DatasetSpec, split: str, source: PreparedSource, position: int
) -> Look | Fault:
    manifest = source.manifest
    try:
        record = source.record(position)
    except RuntimeError as error:  # array_record's, for a chunk whose checksum is wrong
        # Its position is all the name that can be had.
        return Fault("damaged record", f"#{position}", f"{error}. {_AGAIN}")
    origin = Origin(spec.name, split, record["id"].decode())
    try:
        image, label = decode_image(record["image"], origin), decode_label(record["label"], origin)
        check_parts(image, label, spec.num_classes, origin)
    except ValueError as error:
        return Fault("damaged record", origin.id, str(error))
    digest = hashlib.sha256(record["image"]).hexdigest()
    known = manifest.images[position]
    if not digest.startswith(known):
        message = (
            f"The image is not the one that was prepared: its hash is {digest[: len(known)]}, "
        )
        return Fault("damaged record", origin.id, f"{message} not {known}. {_AGAIN}")
    return Look(origin.id, known, label.shape, count_classes(label, spec.num_classes))


_AGAIN = "Delete the prepared dataset and run `python launch.py prepare` again."


def _look_at_example(
    spec: DatasetSpec,
    split: str,
    source: Source,
    hashes: Sequence[str],
    position: int,
) -> Look | Fault:
    try:
        example = source[position]
        origin = Origin(spec.name, split, example["id"])
        check_parts(example["image"], example["label"], spec.num_classes, origin)
    except (ValueError, RuntimeError) as error:
        return Fault("damaged record", f"#{position}", str(error))
    image = hashes[position] if hashes else _hash(example)
    label = example["label"]
    return Look(example["id"], image, label.shape, count_classes(label, spec.num_classes))


def _hash(example: Example) -> str:
    return hashlib.sha256(example["image"].tobytes()).hexdigest()


def _hashes(spec: DatasetSpec, split: str, open_: Callable[[str], Source]) -> list[str]:
    """Returns the hash of every image of a view, as the manifests of its stored splits say.

    Empty for what is made on demand, whose pixels are hashed.
    """
    derived = spec.derived.get(split)
    if derived is None:
        return []
    stored = {name: open_(name) for name in derived.of}
    known = {
        name: source.manifest.images
        for name, source in stored.items()
        if isinstance(source, PreparedSource)
    }
    if len(known) < len(stored):
        return []
    counts = {name: len(source) for name, source in stored.items()}
    return [known[name][position] for name, position in members(derived, counts)]
