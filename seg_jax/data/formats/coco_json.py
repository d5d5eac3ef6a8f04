"""COCO's JSON of objects: images, categories and outlines in one file.

The format is that of https://cocodataset.org/#format-data, section "Object Detection", which
most labelling tools export. An outline is a list of polygons or, for a crowd, run lengths.
"""

import json
from collections.abc import Mapping
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool

from seg_jax.data.formats import polygons, rle
from seg_jax.data.items import Item, Parts
from seg_jax.data.validate import DataError, Origin
from seg_jax.labels import IGNORE_LABEL

Outline = list[Any] | dict[str, Any]
"""Polygons [[x0, y0, ...], ...] or run lengths {"size": [h, w], "counts": ...}."""


class Object(NamedTuple):
    """An annotated object, or a crowd of them.

    Attributes:
        id: number of the annotation, for messages.
        category: id of its category in the file.
        outline: its pixels.
        area: in pixels, as the file states it; 0 where it does not.
        crowd: whether it stands for a crowd of objects that were not told apart.
    """

    id: int
    category: int
    outline: Outline
    area: float
    crowd: bool


class Objects(NamedTuple):
    """What `Item.annotation` holds here.

    Attributes:
        size: (height, width) of the image, as the file states it.
        objects: the objects in the order of the file.
    """

    size: tuple[int, int]
    objects: tuple[Object, ...]


def coco_items(json_file: Path, images: Path) -> tuple[dict[int, str], list[Item]]:
    """Lists what a JSON file describes, in one pass.

    Args:
        json_file: the JSON file.
        images: folder that its file names start from.

    Returns:
        Category id -> name, by ascending id; and an item for every image, annotated or not,
        by file name, whose annotation is its `Objects`.

    Raises:
        DataError: the file is not JSON, lacks a field, or contradicts itself.
    """
    content = load_json(json_file)
    try:
        categories = {
            entry["id"]: entry["name"]
            for entry in sorted(content["categories"], key=itemgetter("id"))
        }
        objects = _by_image(content, categories, json_file)
        items = [
            Item(
                id=PurePosixPath(entry["file_name"]).with_suffix("").as_posix(),
                image=images / entry["file_name"],
                annotation=Objects(
                    (int(entry["height"]), int(entry["width"])), tuple(objects[entry["id"]])
                ),
            )
            for entry in sorted(content["images"], key=itemgetter("file_name"))
        ]
    except (KeyError, TypeError) as error:
        raise DataError(
            f"{json_file} is not a COCO file of objects ({error!r}). It has to hold `images`, "
            "`categories` and `annotations` as in https://cocodataset.org/#format-data."
        ) from error
    return categories, items


def load_json(json_file: Path) -> Any:
    """Returns the content of a JSON file.

    Raises:
        DataError: the file is not JSON.
    """
    try:
        return json.loads(json_file.read_bytes())
    except ValueError as error:
        raise DataError(
            f"{json_file} is not JSON ({error}). Fetch or export this file again."
        ) from error


def paint(
    item: Item,
    origin: Origin,
    *,
    class_of: Mapping[int, int],
    background: int = 0,
    ignore_overlaps: bool = False,
    ignore_crowds: bool = False,
) -> Parts:
    """Paints the objects of an image in the order of its file, later over earlier.

    Args:
        item: an item of `coco_items`.
        origin: where it comes from.
        class_of: category id -> class id; objects of other categories are left out.
        background: class id, or IGNORE_LABEL, of pixels outside all objects.
        ignore_overlaps: whether pixels of more than one object count as void.
        ignore_crowds: whether crowds are painted as void, and not as their class.

    Raises:
        DataError: an outline is faulty; the message names its annotation.
    """
    size, objects = item.annotation
    # Masks come column by column; painting in their order is several times faster.
    ids = np.full(size, background, np.uint8, order="F")
    covered, overlaps = (np.zeros(size, bool, order="F") for _ in range(2))
    for thing in objects:
        if thing.category in class_of:
            mask = _mask(thing, size, origin)
            void = ignore_crowds and thing.crowd
            value = IGNORE_LABEL if void else class_of[thing.category]
            np.copyto(ids, np.uint8(value), where=mask)
            if ignore_overlaps:
                overlaps |= covered & mask
                covered |= mask
    np.copyto(ids, np.uint8(IGNORE_LABEL), where=overlaps)
    return Parts(np.ascontiguousarray(ids))


def _by_image(
    content: Any, categories: Mapping[int, str], json_file: Path
) -> dict[int, list[Object]]:
    """Returns image id -> its objects."""
    objects: dict[int, list[Object]] = {entry["id"]: [] for entry in content["images"]}
    for entry in content["annotations"]:
        if entry["image_id"] not in objects or entry["category_id"] not in categories:
            raise DataError(
                f"{json_file}: annotation {entry['id']} is of image {entry['image_id']} and "
                f"category {entry['category_id']}, and one of the two is not listed in the file. "
                "Export it again, whole."
            )
        outline = entry.get("segmentation")
        if not outline:
            raise DataError(
                f"{json_file}: annotation {entry['id']} has no outline (`segmentation` is "
                f"{outline!r}): it is a box at most. Export polygons or run lengths."
            )
        objects[entry["image_id"]].append(
            Object(
                entry["id"],
                entry["category_id"],
                outline,
                entry.get("area", 0.0),
                bool(entry.get("iscrowd", 0)),
            )
        )
    return objects


def _mask(thing: Object, size: tuple[int, int], origin: Origin) -> Bool[np.ndarray, "h w"]:
    try:
        if isinstance(thing.outline, list):
            if not all(isinstance(polygon, list) for polygon in thing.outline):
                raise ValueError("its polygons are not lists within a list, [[x0, y0, ...], ...]")
            return polygons.fill_all(thing.outline, size)
        if tuple(thing.outline["size"]) != size:
            raise ValueError(f"its run lengths are for the size {thing.outline['size']}")
        return rle.decode(thing.outline["counts"], size)
    except (ValueError, TypeError, KeyError) as error:
        raise origin.fault(
            "label",
            f"has in annotation {thing.id} an outline that cannot be drawn at {size[0]} x "
            f"{size[1]} px: {error}. Correct or remove this annotation.",
        ) from error
