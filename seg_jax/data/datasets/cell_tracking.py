"""Cell Tracking Challenge: the two further sets of U-Net, DIC-C2DH-HeLa and PhC-C2DH-U373.

Maska et al., "The Cell Tracking Challenge: 10 years of objective benchmarking" (Nature
Methods 20, 2023) and https://celltrackingchallenge.net. Examples are the frames of the two
training sequences that people have segmented (gold truth), fewer today than the 20 and 35 on
which U-Net was trained (arXiv:1505.04597, section 4). Instances are the numbers of the masks.

Gold truth need not cover every cell of a frame, and the challenge scores only the cells it
covers. A cell it leaves out would teach that cells are background, so its pixels are ignored:
it is one of the silver truth, which algorithms made of all frames, that gold cells do not
cover by more than half, the overlap by which the challenge matches cells. Where the silver
truth (01_ST, 02_ST) is not there, such cells stay background.

The two sequences are the sides of the cross-validation: frames of one are near copies.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, UInt16

from seg_jax.data.builder import FilesBuilder
from seg_jax.data.datasets.instance_map import read_instances
from seg_jax.data.datasets.layout import find
from seg_jax.data.datasets.tiff import read_page
from seg_jax.data.items import Item, Parts, Reader
from seg_jax.data.spec import Archive, DatasetSpec, Union
from seg_jax.data.validate import Origin, encode_png
from seg_jax.labels import IGNORE_LABEL

BACKGROUND, CELL = 0, 1
"""Class ids."""

_SERVER = "http://data.celltrackingchallenge.net/training-datasets"

_SEQUENCES = {"sequence_01": "01", "sequence_02": "02"}


def _spec(form: str, name: str, counts: tuple[int, int], **archive) -> DatasetSpec:
    """Returns the spec of one set.

    Args:
        form: its name here.
        name: its name in the challenge.
        counts: segmented frames of the two sequences, 0 where no source states them.
        **archive: size and checksum of its archive.
    """
    first, second = _SEQUENCES
    return DatasetSpec(
        name=f"cell_tracking/{form}",
        classes=("background", "cell"),
        palette=((0, 0, 0), (255, 255, 255)),
        licence=(
            "Free for work on the challenge; other scientific and commercial use needs consent, "
            "see the page; copies may not be passed on."
        ),
        citation="Maska et al. Nature Methods 20:1010-1020, 2023; Ulman et al. 14:1141-1152, 2017.",
        splits=dict(zip(_SEQUENCES, counts, strict=True)),
        derived={
            "train": Union((first, second)),
            "fold0_train": Union((second,)),
            "fold0_val": Union((first,)),
            "fold1_train": Union((first,)),
            "fold1_val": Union((second,)),
        },
        homepage="https://celltrackingchallenge.net/2d-datasets",
        archives=(Archive(f"{_SERVER}/{name}.zip", f"{name}.zip", **archive),),
        prepared_bytes=10_000_000,
    )


class _CellTracking(FilesBuilder):
    """Reads {01,02}/tNNN.tif with {01,02}_GT/SEG/man_segNNN.tif and {01,02}_ST/SEG.

    Attributes:
        FOLDER: name of the set in the challenge, and of the folder its archive unpacks to.
    """

    FOLDER: ClassVar[str]
    INSTANCES = True

    def list_items(self, root: Path) -> Mapping[str, Sequence[Item]]:
        """Returns the segmented frames of the sequences that are there, in their order."""
        splits = {
            split: _frames(root, self.FOLDER, sequence) for split, sequence in _SEQUENCES.items()
        }
        found = {split: items for split, items in splits.items() if items}
        if not found:
            raise FileNotFoundError(
                f"{self.FOLDER} was not found in {root} or in a folder {self.FOLDER} under it: "
                "none holds 01_GT/SEG/man_seg*.tif or 02_GT/SEG/man_seg*.tif. Unpack the "
                f"training archive {self.SPEC.archives[0].url} (the test archive has no labels) "
                "and name its folder by --manual_dir."
            )
        return found

    def reader(self, root: Path) -> Reader:
        """Returns `read`."""
        return read


class DicHeLa(_CellTracking):
    """HeLa cells in differential interference contrast, 512 x 512 px."""

    FOLDER = "DIC-C2DH-HeLa"
    SPEC = _spec(
        "dic_hela",
        FOLDER,
        (0, 0),
        bytes=41_504_758,
        sha256="832fed2d05bb7488cf9c51a2994b75f8f3f53b3c3098856211f2d39023c34e1a",
    )
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"The folder {FOLDER}, as {SPEC.archives[0].url} unpacks."


class PhCU373(_CellTracking):
    """Glioblastoma cells U373 in phase contrast, 520 x 696 px."""

    FOLDER = "PhC-C2DH-U373"
    SPEC = _spec(
        "phc_u373",
        FOLDER,
        (15, 19),
        bytes=43_454_399,
        sha256="b18185c18fce54e8eeb93e4bbb9b201d757add9409bbf2283b8114185a11bc9e",
    )
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"The folder {FOLDER}, as {SPEC.archives[0].url} unpacks."


def read(item: Item, origin: Origin) -> Parts:
    """Reads a frame, its gold masks and, from `item.annotation`, its silver ones."""
    image = encode_png(read_page(item.image, 0, "image", origin))
    gold = read_instances(Path(origin.label_path), origin)
    ids = np.where(gold > 0, np.uint8(CELL), np.uint8(BACKGROUND))
    if item.annotation is not None:
        silver = read_instances(item.annotation, origin, gold.shape)
        ids[left_out(gold, silver)] = IGNORE_LABEL
    return Parts(ids, gold, image)


def left_out(
    gold: UInt16[np.ndarray, "h w"], silver: UInt16[np.ndarray, "h w"]
) -> Bool[np.ndarray, "h w"]:
    """Returns the pixels of silver cells that gold cells do not cover by more than half."""
    pixels = np.bincount(silver.ravel())
    covered = np.bincount(silver[gold > 0], minlength=pixels.size)
    absent = 2 * covered <= pixels
    absent[0] = False
    return absent[silver] & (gold == 0)


def _frames(root: Path, folder: str, sequence: str) -> list[Item]:
    """Returns the segmented frames of a sequence, none where it is not there."""
    inside = f"{sequence}_GT/SEG"
    masks = find(root, f"{folder}/{inside}") or root / inside
    top = masks.parent.parent
    items = []
    for mask in sorted(masks.glob("man_seg*.tif")):
        frame = mask.stem.removeprefix("man_seg")
        silver = top / f"{sequence}_ST" / "SEG" / mask.name
        items.append(
            Item(
                f"{sequence}_{frame}",
                top / sequence / f"t{frame}.tif",
                mask,
                silver if silver.is_file() else None,
            )
        )
    return items
