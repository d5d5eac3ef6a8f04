"""Supervisely's JSON: one file an image, a list of objects.

https://docs.supervisely.com, "Annotation JSON format", section "Objects". Points of polygons
and corners of rectangles are pixels themselves, not the corners between them: the outline
belongs to the shape.
"""

import base64
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool

from seg_jax.data.formats import shapes

_OVERHEAD = 1 << 16
"""Bytes of a PNG beside its pixels."""


def drawing(content: Mapping[str, Any]) -> shapes.Drawing:
    """Returns the objects of a file, later ones above earlier ones.

    Args:
        content: the parsed JSON.

    Raises:
        ValueError: an object has no area or is damaged; so may drawing the masks.
        KeyError: a field is missing.
        TypeError: a field holds something else.
    """
    size = int(content["size"]["height"]), int(content["size"]["width"])
    return shapes.Drawing(size, _masks(content["objects"], size))


def _masks(
    objects: list[Mapping[str, Any]], size: tuple[int, int]
) -> Iterator[tuple[str, Bool[np.ndarray, "h w"]]]:
    for thing in objects:
        yield thing["classTitle"], _mask(thing, size)


def _mask(thing: Mapping[str, Any], size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    kind = thing["geometryType"]
    if kind == "bitmap":
        left, top = thing["bitmap"]["origin"]
        return shapes.paste(_patch(thing, size), round(left), round(top), size)
    if kind not in ("polygon", "rectangle"):
        raise ValueError(
            f"{thing['classTitle']!r} is a {kind}, which has no area; polygon, rectangle and "
            "bitmap have one"
        )
    outline = _pixels(thing["points"]["exterior"])
    if kind == "rectangle":
        what = f"{thing['classTitle']!r}, a rectangle,"
        left, top, right, bottom = shapes.two_points(outline, what)
        outline = _pixels([(left, top), (right, top), (right, bottom), (left, bottom)])
    mask = cv2.fillPoly(np.zeros(size, np.uint8), [outline], 1)
    for hole in thing["points"].get("interior", ()):
        cv2.fillPoly(mask, [_pixels(hole)], 0)
    return mask > 0


def _pixels(points: Any) -> np.ndarray:
    # OpenCV takes no 64-bit integers.
    return np.asarray(points, np.float64).round().astype(np.int32).reshape(-1, 2)


def _patch(thing: Mapping[str, Any], size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """Returns the pixels of a bitmap: a zipped PNG whose alpha, or only channel, is the mask."""
    try:
        # As many bytes as an RGBA picture of that size has at most: a bomb stops there.
        most = 5 * size[0] * size[1] + _OVERHEAD
        zipped = base64.b64decode(thing["bitmap"]["data"])
        png = zlib.decompressobj().decompress(zipped, most)
    except zlib.error as error:
        raise ValueError(f"the bitmap of {thing['classTitle']!r} is damaged ({error})") from error
    pixels = shapes.decode_patch(png, cv2.IMREAD_UNCHANGED, size)
    return (pixels if pixels.ndim == 2 else pixels[..., -1]) > 0
