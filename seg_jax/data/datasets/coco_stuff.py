"""COCO-Stuff: COCO in 171 classes, 80 of things and 91 of stuff.

Caesar, Uijlings and Ferrari, "COCO-Stuff: Thing and Stuff Classes in Context"
(arXiv:1612.03716). `stuff164k` are the stuff-thing maps of https://github.com/nightrome/cocostuff
on the images of 2017, `stuff10k` is version 1.1 of https://github.com/nightrome/cocostuff10k.
Classes are the annotated categories by ascending id, which is the order of mmsegmentation's
converters (tools/dataset_converters/coco_stuff{164k,10k}.py). The authors publish no colours:
these are VOC's, of the category ids.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from seg_jax.data.builder import FilesBuilder
from seg_jax.data.datasets import coco
from seg_jax.data.datasets.coco_classes import THINGS
from seg_jax.data.datasets.coco_stuff_classes import FIRST_STUFF_ID, STUFF
from seg_jax.data.datasets.id_list import read_ids
from seg_jax.data.datasets.label_map import map_values
from seg_jax.data.datasets.mat_labels import check_ids, read_mat
from seg_jax.data.items import Item, Parts, Reader
from seg_jax.data.palettes import voc_palette
from seg_jax.data.spec import Archive, DatasetSpec, Union
from seg_jax.data.validate import Origin, decode_label
from seg_jax.labels import IGNORE_LABEL

CATEGORY_IDS = (
    *(category.id for category in THINGS),
    *range(FIRST_STUFF_ID, FIRST_STUFF_ID + len(STUFF)),
)
"""COCO-Stuff's category, 1..182, of every class."""

_TO_CLASS_164K = {category - 1: index for index, category in enumerate(CATEGORY_IDS)}
_TO_CLASS_164K[IGNORE_LABEL] = IGNORE_LABEL

_TO_CLASS_10K = {category: index for index, category in enumerate(CATEGORY_IDS)}
_TO_CLASS_10K[0] = IGNORE_LABEL

_RULE = (
    "COCO-Stuff does not use them: they are ids of COCO's that were never annotated, or the map "
    "was converted before. Take the authors' maps."
)

_URL = "http://calvin.inf.ed.ac.uk/wp-content/uploads/data/cocostuffdataset"
_CLASSES = (*(category.name for category in THINGS), *STUFF)
_PALETTE = tuple(voc_palette(256)[category] for category in CATEGORY_IDS)
_CITATION = "Caesar, Uijlings, Ferrari. COCO-Stuff: Thing and Stuff Classes in Context. CVPR 2018."

STUFF164K = DatasetSpec(
    name="coco/stuff164k",
    classes=_CLASSES,
    palette=_PALETTE,
    licence=coco.LICENCE,
    citation=f"{_CITATION} {coco.CITATION}",
    splits=coco.SPLITS,
    homepage="https://github.com/nightrome/cocostuff",
    archives=(
        *coco.IMAGE_ARCHIVES,
        Archive(
            f"{_URL}/stuffthingmaps_trainval2017.zip",
            "stuffthingmaps_trainval2017.zip",
        ),
    ),
    prepared_bytes=21_000_000_000,
)

STUFF10K = DatasetSpec(
    name="coco/stuff10k",
    classes=_CLASSES,
    palette=_PALETTE,
    licence=coco.LICENCE,
    citation=f"{_CITATION} {coco.CITATION}",
    splits={"train": 9_000, "test": 1_000},
    derived={"val": Union(("test",))},
    homepage="https://github.com/nightrome/cocostuff10k",
    archives=(Archive(f"{_URL}/cocostuff-10k-v1.1.zip", "cocostuff-10k-v1.1.zip"),),
    prepared_bytes=1_800_000_000,
)

_WANTED164K = f"{coco.IMAGE_FOLDERS}, and stuffthingmaps/train2017/ and stuffthingmaps/val2017/"
_WANTED10K = "images/, annotations/ with .mat files, and imageLists/train.txt and test.txt"


class CocoStuff164k(FilesBuilder):
    """Reads {train,val}2017/ and stuffthingmaps/{train,val}2017/."""

    SPEC = STUFF164K
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"{_WANTED164K}, from {STUFF164K.homepage}."

    def list_items(self, root: Path) -> Mapping[str, Sequence[Item]]:
        """Returns the splits whose images and maps are both there, by file name."""
        items = {}
        for split in STUFF164K.splits:
            images = coco.find_images(root, split)
            labels = coco.find_folder(root, (f"{split}2017",), ".png")
            if images and labels:
                items[split] = [
                    Item(image.stem, image, labels / f"{image.stem}.png")
                    for image in sorted(images.iterdir())
                    if image.suffix == ".jpg"
                ]
        if not items:
            raise coco.nothing_found(STUFF164K.name, root, _WANTED164K)
        return items

    def reader(self, root: Path) -> Reader:
        """Returns `read_map`."""
        return read_map


class CocoStuff10k(FilesBuilder):
    """Reads images/, annotations/ and imageLists/ of COCO-Stuff 10k."""

    SPEC = STUFF10K
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"{_WANTED10K}, from {STUFF10K.homepage}."

    def list_items(self, root: Path) -> Mapping[str, Sequence[Item]]:
        """Returns the splits that have a list, in its order."""
        items = {}
        for split in STUFF10K.splits:
            members = coco.find_file(root, (f"imageLists/{split}.txt",))
            if members:
                top = members.parents[1]
                items[split] = [
                    Item(name, top / f"images/{name}.jpg", top / f"annotations/{name}.mat")
                    for name in read_ids(members)
                ]
        if not items:
            raise coco.nothing_found(STUFF10K.name, root, _WANTED10K)
        return items

    def reader(self, root: Path) -> Reader:
        """Returns `read_matrix`."""
        return read_matrix


def read_map(item: Item, origin: Origin) -> Parts:
    """Reads a stuff-thing map, which holds category ids less one, and 255 where unlabelled."""
    values = decode_label(item.label_bytes(), origin)
    return Parts(map_values(values, _TO_CLASS_164K, origin, rule=_RULE))


def read_matrix(item: Item, origin: Origin) -> Parts:
    """Reads the map `S` of a .mat file, which holds category ids, and 0 where unlabelled."""
    values = read_mat(item.label_bytes(), "S", origin)
    # MATLAB makes every number a double unless told otherwise.
    if values.dtype.kind == "f" and (values % 1 == 0).all():
        values = values.astype(np.int64)
    values = check_ids(values, origin).astype(np.uint8)
    return Parts(map_values(values, _TO_CLASS_10K, origin, rule=_RULE))
