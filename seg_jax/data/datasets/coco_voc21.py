"""COCO in the 21 classes of PASCAL VOC, as torchvision trains on it.

The rules are those of its references/segmentation/coco_utils.py
(https://github.com/pytorch/vision, commit 030d27a8): objects of the 20 categories are painted
as their class, crowds like single objects; pixels that several of them cover are void, even
where the class is the same; all else is background. A training image is kept if the areas of
these objects, as the JSON states them, add up to more than 1000 pixels; validation images
are all kept.

COCO states the number of images, 118,287 and 5,000; torchvision does not state how many of
them it keeps for training.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from seg_jax.data.builder import FilesBuilder
from seg_jax.data.datasets import coco
from seg_jax.data.formats.coco_json import coco_items, paint
from seg_jax.data.items import Item, Reader
from seg_jax.data.palettes import VOC_CLASSES, voc_palette
from seg_jax.data.spec import Archive, DatasetSpec

CATEGORY_IDS = (5, 2, 16, 9, 44, 6, 3, 17, 62, 21, 67, 18, 19, 4, 1, 64, 20, 63, 7, 72)
"""COCO's category of each of VOC's classes but the background, in VOC's order."""

CLASS_OF = {category: index for index, category in enumerate(CATEGORY_IDS, start=1)}

MIN_AREA = 1000
"""A training image is kept whose objects have more pixels than that."""

SPEC = DatasetSpec(
    name="coco/voc21",
    classes=VOC_CLASSES,
    palette=voc_palette(len(VOC_CLASSES)),
    licence=coco.LICENCE,
    citation=coco.CITATION,
    splits={"train": 0, "val": coco.SPLITS["val"]},
    homepage=coco.HOMEPAGE,
    archives=(
        *coco.IMAGE_ARCHIVES,
        Archive(
            "http://images.cocodataset.org/annotations/annotations_trainval2017.zip",
            "annotations_trainval2017.zip",
            bytes=252_907_541,
            sha256="113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268",
        ),
    ),
    prepared_bytes=16_500_000_000,
)

_WANTED = f"{coco.IMAGE_FOLDERS}, and annotations/instances_{{train,val}}2017.json"


class CocoVoc21(FilesBuilder):
    """Reads {train,val}2017/ and annotations/instances_{train,val}2017.json."""

    SPEC = SPEC
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"{_WANTED}, from {coco.HOMEPAGE}."

    def list_items(self, root: Path) -> Mapping[str, Sequence[Item]]:
        """Returns the splits whose images and JSON are both there, by file name."""
        items = {}
        for split in SPEC.splits:
            name = f"instances_{split}2017.json"
            images = coco.find_images(root, split)
            json_file = coco.find_file(root, (f"annotations/{name}", name))
            if images and json_file:
                found = [_of_classes(item) for item in coco_items(json_file, images)[1]]
                items[split] = [item for item in found if split != "train" or _is_large(item)]
        if not items:
            raise coco.nothing_found(SPEC.name, root, _WANTED)
        return items

    def reader(self, root: Path) -> Reader:
        """Returns the painter of objects with void where they overlap."""
        return partial(paint, class_of=CLASS_OF, ignore_overlaps=True)


def _of_classes(item: Item) -> Item:
    """Returns the item without the objects of other categories, which are the most."""
    objects = tuple(thing for thing in item.annotation.objects if thing.category in CLASS_OF)
    return item._replace(annotation=item.annotation._replace(objects=objects))


def _is_large(item: Item) -> bool:
    return sum(thing.area for thing in item.annotation.objects) > MIN_AREA
