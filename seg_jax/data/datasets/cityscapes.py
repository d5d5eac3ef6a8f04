"""Cityscapes: driving through 50 cities, 19 classes, 5,000 fine and 20,000 coarse labels.

Cordts et al., "The Cityscapes dataset for semantic urban scene understanding" (CVPR 2016,
arXiv:1604.01685). Labels are read from `*_labelIds.png`, or, where that is not there, from
`*_labelTrainIds.png`, which the publisher's tools make of it.

Instances are those of `*_instanceIds.png`: label id * 1000 + n for the n-th object of a label
(https://github.com/mcordts/cityscapesScripts, preparation/json2instanceImg.py), so the label
id of an object is its number // 1000. Numbers below 1000 are label ids of pixels that belong
to no single object, such as a group of cars: they are stored as 0.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from absl import logging
from jaxtyping import UInt16

from seg_jax.data.builder import FilesBuilder
from seg_jax.data.datasets.cityscapes_labels import (
    CLASSES,
    LABEL_ID_TO_CLASS,
    PALETTE,
    TRAIN_ID_TO_CLASS,
)
from seg_jax.data.datasets.instance_map import read_instances
from seg_jax.data.datasets.label_map import map_values
from seg_jax.data.datasets.layout import find
from seg_jax.data.datasets.unlabelled import ignore_all
from seg_jax.data.items import Item, Parts, Reader
from seg_jax.data.spec import DatasetSpec, Union
from seg_jax.data.validate import Origin, decode_label

FIRST_INSTANCE = 1000
"""Smallest number of an object in an instance picture; below are label ids."""

BLACK_IMAGE = "troisdorf_000000_000073"
"""Image of train_extra that the publisher's download page calls corrupt; left out."""

_TRUTH = {"train": "gtFine", "val": "gtFine", "test": None, "train_extra": "gtCoarse"}
"""Split -> folder of its labels; those of the test set are not published."""

_ARCHIVES = (
    "leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip (for train, val and test) and, if "
    "wanted, leftImg8bit_trainextra.zip and gtCoarse.zip (for train_extra)"
)

SPEC = DatasetSpec(
    name="cityscapes",
    classes=CLASSES,
    palette=PALETTE,
    licence="Non-commercial research and teaching; https://www.cityscapes-dataset.com/license.",
    citation="Cordts et al. CVPR, 2016. arXiv:1604.01685.",
    # 19,998 images of train_extra are published; one is black.
    splits={"train": 2975, "val": 500, "test": 1525, "train_extra": 19_997},
    derived={
        "trainval": Union(("train", "val")),
        "train_with_extra": Union(("train", "train_extra")),
    },
    unlabelled=("test",),
    homepage="https://www.cityscapes-dataset.com/downloads",
    prepared_bytes=12_000_000_000,  # train_extra adds 45 GB
)


class Cityscapes(FilesBuilder):
    """Reads leftImg8bit/, gtFine/ and gtCoarse/, in one folder or each as its zip unpacks."""

    SPEC = SPEC
    INSTANCES = True
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"{_ARCHIVES} of {SPEC.homepage} (needs an account), unpacked into one folder or each "
        "into its own."
    )

    def list_items(self, root: Path) -> Mapping[str, Sequence[Item]]:
        """Returns the splits whose images and labels are both there, by city and file name."""
        splits = {split: _items(root, split) for split in SPEC.splits}
        found = {split: items for split, items in splits.items() if items}
        if not found:
            raise FileNotFoundError(
                f"Cityscapes was not found in {root} or in a folder up to two below it: none "
                "holds leftImg8bit/train with gtFine/train (or val, or leftImg8bit/test, or "
                f"train_extra with gtCoarse). Unpack {_ARCHIVES} of {SPEC.homepage} and name "
                "the folder by --manual_dir."
            )
        return found

    def reader(self, root: Path) -> Reader:
        """Returns `read`."""
        return read


def read(item: Item, origin: Origin) -> Parts:
    """Reads label ids or train ids as class ids, and the numbers of the objects."""
    if item.label is None:
        return ignore_all(item, origin, instances=True)
    values = decode_label(item.label_bytes(), origin)
    if item.label.stem.endswith("_labelTrainIds"):
        rule = (
            "Train ids are 0..18, and 255 where a pixel does not count. Make the file again "
            "with csCreateTrainIdLabelImgs and its own labels.py, or use *_labelIds.png."
        )
        ids = map_values(values, TRAIN_ID_TO_CLASS, origin, rule=rule)
    else:
        rule = "Label ids are 0..33, and 255 for none. Fetch or unpack this file again."
        ids = map_values(values, LABEL_ID_TO_CLASS, origin, rule=rule)
    if item.annotation is None:
        return Parts(ids, np.zeros(ids.shape, np.uint16))
    return Parts(ids, _objects(item.annotation, ids.shape, origin))


def _objects(file: Path, size: tuple[int, ...], origin: Origin) -> UInt16[np.ndarray, "h w"]:
    numbers = read_instances(file, origin, size)
    return np.where(numbers >= FIRST_INSTANCE, numbers, np.uint16(0))


def _items(root: Path, split: str) -> list[Item]:
    """Returns the items of a split, none where its images or its labels are not there."""
    images = find(root, f"leftImg8bit/{split}")
    if images is None:
        return []
    files = sorted(images.glob("*/*_leftImg8bit.png"))
    truth = _TRUTH[split]
    if truth is None:
        return [Item(_name(file), file) for file in files]
    labels = find(root, f"{truth}/{split}")
    if labels is None:
        return []
    present = {file.name for file in labels.glob("*/*.png")}
    items = [
        _item(file, labels / file.parent.name, truth, present)
        for file in files
        if _name(file) != BLACK_IMAGE
    ]
    without = sum(item.annotation is None for item in items)
    if without:
        logging.warning(
            "%d of %d labels in %s come without *_instanceIds.png: their objects are not "
            "known, so instance-level IoU cannot be taken on split %r.",
            *(without, len(items), labels, split),
        )
    return items


def _item(file: Path, folder: Path, truth: str, present: set[str]) -> Item:
    """Returns the item of an image, given the names of all label files that there are."""
    name = _name(file)
    ids, train_ids, instances = (
        f"{name}_{truth}_{kind}.png" for kind in ("labelIds", "labelTrainIds", "instanceIds")
    )
    # Where neither is there, the publisher's own file is the one to be reported missing.
    label = train_ids if ids not in present and train_ids in present else ids
    return Item(name, file, folder / label, folder / instances if instances in present else None)


def _name(file: Path) -> str:
    return file.name.removesuffix("_leftImg8bit.png")
