"""COCO in the 133 classes of its panoptic task: 80 of things and 53 of stuff.

Kirillov et al., "Panoptic Segmentation" (arXiv:1801.00868); classes by ascending category id,
as `converters/panoptic2semantic_segmentation.py` of https://github.com/cocodataset/panopticapi
merges them: every segment as its category, crowds included. Pixels of no segment are void.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seg_jax.data.builder import FilesBuilder
from seg_jax.data.datasets import coco
from seg_jax.data.datasets.coco_classes import PANOPTIC
from seg_jax.data.formats.coco_json import load_json
from seg_jax.data.formats.panoptic import class_ids, decode_segments
from seg_jax.data.items import Item, Parts, Reader
from seg_jax.data.preparation.archive import unpack
from seg_jax.data.spec import Archive, DatasetSpec
from seg_jax.data.validate import DataError, Origin

CLASS_OF = {category.id: index for index, category in enumerate(PANOPTIC)}

SPEC = DatasetSpec(
    name="coco/semantic133",
    classes=tuple(category.name for category in PANOPTIC),
    palette=tuple(category.color for category in PANOPTIC),
    licence=coco.LICENCE,
    citation=f"{coco.CITATION} Kirillov et al. Panoptic Segmentation. CVPR 2019.",
    splits=coco.SPLITS,
    homepage=coco.HOMEPAGE,
    archives=(
        *coco.IMAGE_ARCHIVES,
        Archive(
            "http://images.cocodataset.org/annotations/panoptic_annotations_trainval2017.zip",
            "panoptic_annotations_trainval2017.zip",
            bytes=860_725_834,
            sha256="c05f76d2129b6b561eb70efe16e7006df62f73fb92889132d373b9d90e31a370",
        ),
    ),
    prepared_bytes=21_000_000_000,
)

_WANTED = (
    f"{coco.IMAGE_FOLDERS}, annotations/panoptic_{{train,val}}2017.json, and the pictures of "
    "annotations/panoptic_{train,val}2017.zip unpacked beside them"
)


class CocoSemantic133(FilesBuilder):
    """Reads {train,val}2017/, and panoptic_{train,val}2017 as .json and as a folder."""

    SPEC = SPEC
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"{_WANTED}, from {coco.HOMEPAGE}."

    def list_items(self, root: Path) -> Mapping[str, Sequence[Item]]:
        """Returns the splits whose images, pictures and JSON are all there, by file name.

        The published archive holds the pictures as archives within; they are unpacked beside
        themselves where that has not been done.
        """
        items = {}
        for split in SPEC.splits:
            name = f"panoptic_{split}2017"
            images = coco.find_images(root, split)
            labels = _find_pictures(root, name)
            json_file = coco.find_file(root, (f"annotations/{name}.json", f"{name}.json"))
            if images and labels and json_file:
                items[split] = _items(load_json(json_file), images, labels, json_file)
        if not items:
            raise coco.nothing_found(SPEC.name, root, _WANTED)
        return items

    def reader(self, root: Path) -> Reader:
        """Returns `read`."""
        return read


def read(item: Item, origin: Origin) -> Parts:
    """Reads a picture of segments, its annotation being segment id -> class id."""
    return Parts(class_ids(decode_segments(item.label_bytes(), origin), item.annotation, origin))


def _find_pictures(root: Path, name: str) -> Path | None:
    found = coco.find_folder(root, (name, f"annotations/{name}"), ".png")
    archive = coco.find_file(root, (f"annotations/{name}.zip", f"{name}.zip"))
    if found or not archive:
        return found
    if not os.access(archive.parent, os.W_OK):
        raise FileNotFoundError(
            f"{archive} is still packed, and its folder cannot be written to. Unpack it into a "
            "folder that also holds its images and JSON, and name that one by --manual_dir."
        )
    return coco.find_folder(unpack(archive, archive.with_suffix("")), (name,), ".png")


def _items(content: Any, images: Path, labels: Path, json_file: Path) -> list[Item]:
    """Returns an item for every image of a panoptic JSON file.

    Raises:
        DataError: an image has no annotation, or a segment is of an unknown category.
    """
    annotations = {entry["image_id"]: entry for entry in content["annotations"]}
    files = {entry["file_name"]: entry["id"] for entry in content["images"]}
    bare = sorted(file for file, image in files.items() if image not in annotations)
    if bare:
        raise DataError(
            f"{json_file} has no annotation for {len(bare)} of its {len(files)} images, the "
            f"first {bare[0]}. Fetch and unpack the panoptic annotations again."
        )
    return [
        Item(
            Path(file).stem,
            images / file,
            labels / annotations[files[file]]["file_name"],
            _class_of_segments(annotations[files[file]], json_file),
        )
        for file in sorted(files)
    ]


def _class_of_segments(annotation: Any, json_file: Path) -> dict[int, int]:
    segments = {entry["id"]: entry["category_id"] for entry in annotation["segments_info"]}
    unknown = set(segments.values()) - CLASS_OF.keys()
    if unknown:
        raise DataError(
            f"{json_file} gives {annotation['file_name']} segments of the categories "
            f"{sorted(unknown)}, which are not among COCO's {len(CLASS_OF)}. Use the published "
            "file."
        )
    return {segment: CLASS_OF[category] for segment, category in segments.items()}
