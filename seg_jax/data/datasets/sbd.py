"""SBD, the Semantic Boundaries Dataset: labels for 11,355 images of VOC 2011.

Hariharan, Arbelaez, Bourdev, Maji and Malik, "Semantic contours from inverse detectors" (ICCV
2011). `benchmark_RELEASE/dataset` holds `train.txt` (8,498), `val.txt` (2,857) and labels in
`cls/*.mat`, whose struct GTcls has the class ids as Segmentation; pixels of no class are 0 (its
README). SBD knows no void: its objects have no ignored outline, as VOC's have. Its images are
copies of VOC's and are read from VOC 2012, which has all of them.

Its split is not VOC's: some images of its `train` and of its `val` are in VOC's `val`.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from seg_jax.data.datasets.id_list import read_ids
from seg_jax.data.datasets.layout import find
from seg_jax.data.datasets.mat_labels import check_ids, read_mat
from seg_jax.data.validate import Origin


class SBD(NamedTuple):
    """Where SBD lies.

    Attributes:
        folder: the folder `dataset` of its archive.
        train: ids of its `train.txt`.
        val: ids of its `val.txt`.
    """

    folder: Path
    train: tuple[str, ...]
    val: tuple[str, ...]

    def label(self, example: str) -> Path:
        """Returns the file of a label."""
        return self.folder / "cls" / f"{example}.mat"


def find_sbd(root: Path) -> SBD | None:
    """Returns where SBD lies at or below a folder, None where it does not."""
    labels = find(root, "dataset/cls") or find(root, "cls")
    if labels is None:
        return None
    train, val = (read_ids(labels.parent / f"{split}.txt") for split in ("train", "val"))
    return SBD(labels.parent, train, val) if train and val else None


def decode_sbd_label(data: bytes, origin: Origin) -> UInt8[np.ndarray, "h w"]:
    """Decodes a .mat of SBD's `cls/` to class ids.

    Raises:
        DataError: it is not a MATLAB file, or not one of `cls/`.
    """
    struct = read_mat(data, "GTcls", origin)
    if struct.dtype.names is None or "Segmentation" not in struct.dtype.names or struct.size != 1:
        raise origin.fault(
            "label", "has a GTcls without Segmentation: it is not of SBD's folder cls/."
        )
    return check_ids(struct["Segmentation"].item(), origin).astype(np.uint8)
