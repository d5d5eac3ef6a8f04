"""What the forms of COCO share: its archives, its terms and where its files lie.

Lin et al., "Microsoft COCO: Common Objects in Context" (arXiv:1405.0312), in the split of
2017 (https://cocodataset.org/#download). The publisher states no checksums: those here are
the ones TFDS records.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from seg_jax.data.spec import Archive

HOMEPAGE = "https://cocodataset.org/#download"
LICENCE = (
    "Annotations: CC BY 4.0. Images: the Flickr terms of use, each under the licence that its "
    "photographer chose."
)
CITATION = (
    "Lin, Maire, Belongie, Hays, Perona, Ramanan, Dollar, Zitnick. Microsoft COCO: Common "
    "Objects in Context. ECCV 2014."
)
SPLITS = {"train": 118_287, "val": 5_000}

IMAGE_ARCHIVES = (
    Archive(
        "http://images.cocodataset.org/zips/train2017.zip",
        "train2017.zip",
        bytes=19_336_861_798,
        sha256="69a8bb58ea5f8f99d24875f21416de2e9ded3178e903f1f7603e283b9e06d929",
    ),
    Archive(
        "http://images.cocodataset.org/zips/val2017.zip",
        "val2017.zip",
        bytes=815_585_330,
        sha256="4f7e2ccb2866ec5041993c9cf2a952bbed69647b115d0f74da7ce8f4bef82f05",
    ),
)

IMAGE_FOLDERS = "train2017/ and val2017/ with the images"


def find_images(root: Path, split: str) -> Path | None:
    """Returns the folder with the images of a split, None where there is none."""
    return find_folder(root, (f"{split}2017",), ".jpg")


def find_folder(root: Path, names: Sequence[str], suffix: str) -> Path | None:
    """Returns the folder of one of the names that holds files of a kind.

    Names repeat in COCO (images, panoptic pictures and stuff maps all come in a train2017/),
    so a folder counts only if a file with the suffix lies in it.

    Args:
        root: the folder given, see `_bases`.
        names: relative paths.
        suffix: for instance ".jpg".
    """
    for base in _bases(root):
        for name in names:
            if _holds(base / name, suffix):
                return base / name
    return None


def find_file(root: Path, names: Sequence[str]) -> Path | None:
    """Returns the file of one of the names (relative paths), None where there is none."""
    for base in _bases(root):
        for name in names:
            if (base / name).is_file():
                return base / name
    return None


def nothing_found(dataset: str, root: Path, wanted: str) -> FileNotFoundError:
    """Returns the error for a folder in which no split of a dataset is whole.

    Args:
        dataset: name of the dataset.
        root: the folder.
        wanted: what belongs there.
    """
    return FileNotFoundError(
        f"No split of {dataset} was found in {root}: its images or its labels are missing. It "
        f"needs {wanted}, in this folder, in coco/ under it, or each archive unpacked into a "
        f"folder of its own. Get them from {HOMEPAGE} and name the folder by --manual_dir."
    )


def _bases(root: Path) -> Iterator[Path]:
    """Yields the folders that paths may start from: the given one, coco/, and those in them."""
    for top in (root, root / "coco"):
        if top.is_dir():
            yield top
            with os.scandir(top) as entries:
                yield from sorted(Path(entry.path) for entry in entries if entry.is_dir())


def _holds(folder: Path, suffix: str) -> bool:
    if not folder.is_dir():
        return False
    with os.scandir(folder) as entries:
        return any(entry.name.endswith(suffix) for entry in entries)
