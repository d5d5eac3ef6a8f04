"""Looks at the publisher's or the user's files before they are prepared; lists every fault.

`prepare` stops at the first faulty example. Here each goes through the same reading and
checking, and what would stop it is collected.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from seg_jax import registry
from seg_jax.data.convert import convert, origin_of
from seg_jax.data.doctor.diagnose import diagnose
from seg_jax.data.doctor.examined import Examined
from seg_jax.data.doctor.facts import Fault, Look, collect, count_classes
from seg_jax.data.example import Example
from seg_jax.data.items import Item, Reader
from seg_jax.data.preparation.progress import SILENT, Progress
from seg_jax.data.spec import DatasetSpec
from seg_jax.data.validate import decode_image, decode_label

_PICTURES = (".png", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg")


def examine_files(
    spec: DatasetSpec,
    listed: Mapping[str, Sequence[Item]],
    reader: Reader,
    splits: Sequence[str] = (),
    *,
    progress: Progress = SILENT,
) -> dict[str, Examined]:
    """Looks at every example of splits that a builder lists.

    Args:
        spec: the dataset.
        listed: what `FilesBuilder.list_items` found.
        reader: what reads an item.
        splits: which stored splits; empty for all that are there.
        progress: told what is looked at.

    Raises:
        FileNotFoundError: one of `splits` is not there.
        UnknownNameError: the dataset has no such stored split.
    """
    for split in splits:
        if split not in spec.splits:
            raise registry.unknown_name(
                split, spec.splits, kind=f"stored split of dataset {spec.name!r}", field="--split"
            )
        if split not in listed:
            raise FileNotFoundError(
                f"Split {split!r} of {spec.name!r} is not among the files; there are: "
                f"{', '.join(listed)}. Add its files, or leave it out."
            )
    return {
        split: _examine(spec, split, listed[split], reader, progress) for split in splits or listed
    }


def _examine(
    spec: DatasetSpec, split: str, items: Sequence[Item], reader: Reader, progress: Progress
) -> Examined:
    look = functools.partial(_look, spec, split, items, reader)
    facts = collect(split, spec, len(items), look, progress=progress)
    return Examined(
        dataclasses.replace(facts, strays=tuple(strays(items))),
        functools.partial(_load, spec, split, items, reader),
        lambda position: items[position].id,
    )


def _look(
    spec: DatasetSpec, split: str, items: Sequence[Item], reader: Reader, position: int
) -> Look | Fault:
    item = items[position]
    try:
        example = convert(spec, split, item, reader)
    except (ValueError, OSError) as error:
        return diagnose(spec, split, item, reader, error)
    label = decode_label(example.label, origin_of(spec.name, split, item))
    image = hashlib.sha256(example.image).hexdigest()
    return Look(item.id, image, label.shape, count_classes(label, spec.num_classes))


def _load(
    spec: DatasetSpec, split: str, items: Sequence[Item], reader: Reader, position: int
) -> Example:
    item = items[position]
    example, origin = convert(spec, split, item, reader), origin_of(spec.name, split, item)
    return {
        "image": decode_image(example.image, origin),
        "label": decode_label(example.label, origin),
        "id": item.id,
    }


def strays(items: Sequence[Item]) -> list[str]:
    """Returns the label files beside those of a split that have no image of the same name.

    Only told where images and labels share their names and each lie in one folder; elsewhere
    other files beside the labels are common.
    """
    pairs = [(item.image, item.label) for item in items if item.label is not None]
    labels = {label.parent for _, label in pairs}
    images = {image.parent for image, _ in pairs}
    if len(labels) != 1 or len(images) != 1 or labels == images:
        return []
    if any(image.stem != label.stem for image, label in pairs):
        return []
    (label_folder,), (image_folder,) = labels, images
    if not label_folder.is_dir() or not image_folder.is_dir():
        return []
    known: Mapping[str, Path] = {path.stem: path for path in image_folder.iterdir()}
    return [
        str(path)
        for path in sorted(label_folder.iterdir())
        if path.suffix.lower() in _PICTURES and path.stem not in known
    ]
