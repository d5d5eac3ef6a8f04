"""ISBI 2012: 30 electron micrographs of a fly larva's nerve cord, membranes and cells.

Arganda-Carreras et al., "Crowdsourcing the creation of image segmentation algorithms for
connectomics" (Frontiers in Neuroanatomy 9:142, 2015), and
https://imagej.net/events/isbi-2012-segmentation-challenge: neighbouring sections of 512 x 512
px, 4 x 4 x 50 nm a pixel. The published labels are white (255) inside a cell and black (0)
elsewhere, which is mostly membrane. White must not be taken for the 255 of ignored pixels.

Instances are the cells of a section: regions of cell pixels that touch by their sides
(4-connectivity). The border weights of U-Net (arXiv:1505.04597, equation 2) are made of them.

The test stack has no label here: the challenge kept it back, and what is published since as
test-labels.tif is not read.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8, UInt16

from seg_jax.data.builder import FilesBuilder
from seg_jax.data.datasets.label_map import map_values
from seg_jax.data.datasets.layout import find
from seg_jax.data.datasets.tiff import count_pages, read_page
from seg_jax.data.datasets.unlabelled import ignore_all
from seg_jax.data.items import Item, Parts, Reader
from seg_jax.data.spec import Archive, DatasetSpec, folds
from seg_jax.data.validate import DataError, Origin, decode_label, encode_png

MEMBRANE, CELL = 0, 1
"""Class ids, in the order of the published grey levels."""

_TO_CLASS = {0: MEMBRANE, 255: CELL}

_STACKS = {"train": ("train-volume.tif", "train-labels.tif"), "test": ("test-volume.tif", None)}
"""Split -> stack of images, stack of labels."""

_URL = "https://downloads.imagej.net/ISBI-2012-challenge.zip"

SPEC = DatasetSpec(
    name="isbi2012",
    classes=("membrane", "cell"),
    palette=((0, 0, 0), (255, 255, 255)),
    licence="For making and testing non-commercial segmentation software.",
    citation=(
        "Arganda-Carreras et al. Frontiers in Neuroanatomy 9:142, 2015; "
        "Cardona et al. PLoS Biology 8(10):e1000502, 2010."
    ),
    splits={"train": 30, "test": 30},
    derived=folds("train", 5),
    unlabelled=("test",),
    homepage="https://imagej.net/events/isbi-2012-segmentation-challenge",
    archives=(Archive(_URL, "ISBI-2012-challenge.zip"),),
    prepared_bytes=16_000_000,
)


class ISBI2012(FilesBuilder):
    """Reads train-volume.tif, train-labels.tif, test-volume.tif, or image/*.png and label/*.png."""

    SPEC = SPEC
    INSTANCES = True
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"The stacks train-volume.tif, train-labels.tif and, if wanted, test-volume.tif of {_URL}, "
        "or the sections as image/00.png, label/00.png, image/01.png, ..."
    )

    def list_items(self, root: Path) -> Mapping[str, Sequence[Item]]:
        """Returns the sections in the order of the stack or of their file names.

        Raises:
            DataError: a stack cannot be read, or images and labels differ in number.
        """
        splits = {split: _pages(root, *stacks) for split, stacks in _STACKS.items()}
        if not splits["train"]:
            splits["train"] = _pictures(root)
        found = {split: items for split, items in splits.items() if items}
        if not found:
            raise FileNotFoundError(
                f"ISBI 2012 was not found in {root} or in a folder up to two below it: none "
                "holds train-volume.tif with train-labels.tif, test-volume.tif, or image/*.png "
                f"with label/*.png. Unpack {_URL} and name its folder by --manual_dir."
            )
        return found

    def reader(self, root: Path) -> Reader:
        """Returns `read`."""
        return read


def read(item: Item, origin: Origin) -> Parts:
    """Reads a section from its pictures, or from the page `item.annotation` of its stacks."""
    page, image = item.annotation, None
    if page is not None:
        image = encode_png(read_page(item.image, page, "image", origin))
    if item.label is None:
        return ignore_all(item, origin, image=image, instances=True)
    if page is None:
        values = decode_label(item.label_bytes(), origin)
    else:
        values = read_page(item.label, page, "label", origin)
    rule = "Labels hold 0 (membrane) and 255 (cell) only. Use the published files unchanged."
    ids = map_values(values, _TO_CLASS, origin, rule=rule)
    return Parts(ids, number_cells(ids), image)


def number_cells(ids: UInt8[np.ndarray, "h w"]) -> UInt16[np.ndarray, "h w"]:
    """Returns the number of the cell at every pixel, from 1; 0 at membranes."""
    cells = (ids == CELL).astype(np.uint8)
    return cv2.connectedComponents(cells, connectivity=4, ltype=cv2.CV_16U)[1]


def _pages(root: Path, images: str, labels: str | None) -> list[Item]:
    """Returns the items of a stack, none where it or its labels are not there."""
    image = find(root, images)
    label = find(root, labels) if labels else None
    if image is None or (labels and label is None):
        return []
    count = count_pages(image)
    if label is not None and count_pages(label) != count:
        raise DataError(
            f"{image} has {count} pages but {label} has {count_pages(label)}; there is one "
            "label to each image. Fetch or unpack both again."
        )
    return [Item(f"{page:02d}", image, label, page) for page in range(count)]


def _pictures(root: Path) -> list[Item]:
    """Returns the items of a folder of pictures, none where there is none."""
    images, labels = find(root, "image"), find(root, "label")
    if images is None or labels is None:
        return []
    return [Item(file.stem, file, labels / file.name) for file in sorted(images.glob("*.png"))]
