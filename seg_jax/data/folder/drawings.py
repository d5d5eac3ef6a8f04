"""Readers of labels that are drawn: named shapes of LabelMe, Supervisely and CVAT, and COCO."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from seg_jax.data.folder.classes import ClassTable
from seg_jax.data.folder.description import ANY
from seg_jax.data.folder.fields import FIELD
from seg_jax.data.formats import coco_json, cvat, labelme, supervisely
from seg_jax.data.formats.shapes import Drawing
from seg_jax.data.image_header import MAX_PIXELS
from seg_jax.data.items import Item, Parts
from seg_jax.data.validate import DataError, Origin
from seg_jax.labels import IGNORE_LABEL

_DRAWINGS: dict[str, Callable[[Any], Drawing]] = {
    "labelme": labelme.drawing,
    "supervisely": supervisely.drawing,
    "cvat": cvat.drawing,
}


def read_shapes(
    item: Item,
    origin: Origin,
    *,
    form: str,
    table: ClassTable,
    skip: tuple[str, ...],
    overlap: str,
) -> Parts:
    """Draws the shapes of an image: those in `Item.annotation`, else in its JSON file.

    Raises:
        DataError: the file is damaged, a shape has no area, or its name is of no class.
    """
    try:
        content = json.loads(item.label_bytes()) if item.annotation is None else item.annotation
        drawing = _DRAWINGS[form](content)
        if drawing.size[0] * drawing.size[1] > MAX_PIXELS:
            raise ValueError(f"its image is said to have the size {drawing.size}")
        ids = np.full(drawing.size, table.elsewhere, np.uint8)
        covered = np.zeros(drawing.size, bool)
        for name, mask in drawing.masks:
            id = class_of(name, table, skip, origin)
            if id is not None:
                ids[mask] = id
                if overlap == "ignore":
                    ids[covered & mask] = IGNORE_LABEL
                    covered |= mask
    except DataError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        lacks = "it lacks " if isinstance(error, KeyError) else ""
        raise origin.fault(
            "label",
            f"cannot be drawn: {lacks}{error}. Correct this file, or set "
            f"{FIELD}.form, which is {form!r}.",
        ) from error
    return Parts(ids)


def read_coco(
    item: Item, origin: Origin, *, table: ClassTable, skip: tuple[str, ...], overlap: str
) -> Parts:
    """Draws the objects of an image; `Item.annotation` is (category id -> name, its objects).

    Raises:
        DataError: an outline is faulty, or the name of a category is of no class.
    """
    categories, objects = item.annotation
    used = {thing.category for thing in objects.objects}
    ids = {key: class_of(categories[key], table, skip, origin) for key in sorted(used)}
    return coco_json.paint(
        item._replace(annotation=objects),
        origin,
        class_of={key: id for key, id in ids.items() if id is not None},
        background=table.elsewhere,
        ignore_overlaps=overlap == "ignore",
    )


def class_of(name: str, table: ClassTable, skip: tuple[str, ...], origin: Origin) -> int | None:
    """Returns the class of a name, None for one that is not drawn.

    Raises:
        DataError: the name is neither of a class nor among what is ignored or skipped.
    """
    known: Mapping[Any, int] = table.by_value
    if name in known:
        return known[name]
    if name in skip or ANY in skip:
        return None
    raise origin.fault(
        "label",
        f"holds shapes named {name!r}, which no class has (they have "
        f"{', '.join(sorted(map(str, known)))}). Add it to {FIELD}.classes, or to "
        f"{FIELD}.ignore (its pixels do not count) or {FIELD}.skip (it is not drawn; '*' skips "
        "all such names).",
    )
