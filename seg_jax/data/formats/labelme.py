"""LabelMe's JSON: one file an image, a list of shapes.

https://github.com/wkentaro/labelme; coordinates are pixels from the image's upper left
corner. LabelMe draws a polygon with its outline, ours are those of the COCO API: they differ
on border pixels only.
"""

import base64
import math
from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool

from seg_jax.data.formats import polygons, shapes


def drawing(content: Mapping[str, Any]) -> shapes.Drawing:
    """Returns the shapes of a file, later ones above earlier ones.

    Args:
        content: the parsed JSON.

    Raises:
        ValueError: a shape has no area or is damaged; so may drawing the masks.
        KeyError: a field is missing.
        TypeError: a field holds something else.
    """
    size = int(content["imageHeight"]), int(content["imageWidth"])
    return shapes.Drawing(size, _masks(content["shapes"], size))


def _masks(
    given: list[Mapping[str, Any]], size: tuple[int, int]
) -> Iterator[tuple[str, Bool[np.ndarray, "h w"]]]:
    for shape in given:
        yield shape["label"], _mask(shape, size)


def _mask(shape: Mapping[str, Any], size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    # Files of early versions have no type: they know polygons only.
    kind = shape.get("shape_type") or "polygon"
    if kind == "polygon":
        return polygons.fill(shapes.flat(shape["points"]), size)
    if kind not in ("rectangle", "circle", "mask"):
        raise ValueError(
            f"{shape['label']!r} is a {kind}, which has no area; polygon, rectangle, circle and "
            "mask have one"
        )
    x0, y0, x1, y1 = shapes.two_points(shape["points"], f"{shape['label']!r}, a {kind},")
    if kind == "rectangle":
        return shapes.box(x0, y0, x1, y1, size)
    if kind == "circle":  # its centre and a point on it
        radius = math.hypot(x1 - x0, y1 - y0)
        return shapes.ellipse(x0, y0, radius, radius, size)
    png = base64.b64decode(shape["mask"])
    patch = shapes.decode_patch(png, cv2.IMREAD_GRAYSCALE, size)
    return shapes.paste(patch > 0, round(x0), round(y0), size)
