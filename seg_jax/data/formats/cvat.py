"""CVAT's XML "CVAT for images 1.1": the shapes of many images in one file.

https://docs.cvat.ai, "CVAT for images" under "Annotation formats"; coordinates are pixels
from the image's upper left corner.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from seg_jax.data.formats import polygons, rle, shapes
from seg_jax.data.validate import DataError


class ImageShapes(NamedTuple):
    """The shapes of an image, as written.

    Attributes:
        name: file name of the image.
        size: (height, width).
        shapes: element name and attributes of every shape, lowest first.
    """

    name: str
    size: tuple[int, int]
    shapes: tuple[tuple[str, Mapping[str, str]], ...]


def read_images(xml_file: Path) -> list[ImageShapes]:
    """Lists the images of a file.

    Raises:
        DataError: the file is not such XML.
    """
    try:
        root = ET.parse(xml_file).getroot()
        images = [_image(element) for element in root.iter("image")]
    except (ET.ParseError, KeyError, ValueError) as error:
        raise DataError(
            f"{xml_file} cannot be read ({error}). Export it again as 'CVAT for images 1.1'."
        ) from error
    if not images:
        raise DataError(
            f"{xml_file} names no image. Export the task as 'CVAT for images 1.1', not as one "
            "of the formats for video or of other tools."
        )
    return images


def drawing(image: ImageShapes) -> shapes.Drawing:
    """Returns the shapes of an image, later ones above earlier ones.

    Raises:
        ValueError: a shape has no area or is damaged; so may drawing the masks.
        KeyError: an attribute is missing.
    """
    return shapes.Drawing(image.size, _masks(image))


def _image(element: ET.Element) -> ImageShapes:
    size = int(element.attrib["height"]), int(element.attrib["width"])
    given = [(child.tag, dict(child.attrib)) for child in element if "label" in child.attrib]
    # Tags label a whole image and are no shapes.
    drawn = [shape for shape in given if shape[0] != "tag"]
    drawn.sort(key=lambda shape: int(shape[1].get("z_order", 0)))
    return ImageShapes(element.attrib["name"], size, tuple(drawn))


def _masks(image: ImageShapes) -> Iterator[tuple[str, Bool[np.ndarray, "h w"]]]:
    for kind, attributes in image.shapes:
        yield attributes["label"], _mask(kind, attributes, image.size)


def _mask(kind: str, given: Mapping[str, str], size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    match kind:
        case "polygon":
            points = given["points"].replace(";", ",").split(",")
            return polygons.fill([float(value) for value in points], size)
        case "box":
            left, top, right, bottom = (float(given[key]) for key in ("xtl", "ytl", "xbr", "ybr"))
            if float(given.get("rotation", 0)):
                raise ValueError(f"{given['label']!r} is a rotated box; draw it as a polygon")
            return shapes.box(left, top, right, bottom, size)
        case "ellipse":
            if float(given.get("rotation", 0)):
                raise ValueError(f"{given['label']!r} is a rotated ellipse; draw it as a polygon")
            x, y, radius_x, radius_y = (float(given[key]) for key in ("cx", "cy", "rx", "ry"))
            return shapes.ellipse(x, y, radius_x, radius_y, size)
        case "mask":
            left, top, width, height = (
                round(float(given[key])) for key in ("left", "top", "width", "height")
            )
            # Runs go along rows, those of COCO along columns.
            runs = [int(value) for value in given["rle"].split(",")]
            return shapes.paste(rle.decode(runs, (width, height)).T, left, top, size)
    raise ValueError(
        f"{given['label']!r} is a {kind}, which has no area; polygon, box, ellipse and mask do"
    )
