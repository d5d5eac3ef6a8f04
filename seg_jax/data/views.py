"""Sources made from sources: every example at one size, every example kept in memory."""

import hashlib

import cv2
import numpy as np
from jaxtyping import UInt8, UInt16

from seg_jax.data.example import Example, Source, instances_of


def resize_pair(
    image: UInt8[np.ndarray, "h w 3"], label: UInt8[np.ndarray, "h w"], size: tuple[int, int]
) -> tuple[UInt8[np.ndarray, "h2 w2 3"], UInt8[np.ndarray, "h2 w2"]]:
    """Resizes to (height, width): the image bilinearly, the label by nearest neighbour.

    Pixel centres map to pixel centres in both. Plain INTER_NEAREST would sample the label
    half a pixel off: 1 to 2 % of the pixels of a street scene come out as their neighbour.
    The bilinear filter does not widen when shrinking, as in OpenCV and torch, unlike PIL.
    """
    if image.shape[:2] == tuple(size):
        return image, label
    target = (size[1], size[0])
    return (
        cv2.resize(image, target, interpolation=cv2.INTER_LINEAR),
        cv2.resize(label, target, interpolation=cv2.INTER_NEAREST_EXACT),
    )


class ResizedSource:
    """The examples of a source, resized to one (height, width) by `resize_pair`."""

    def __init__(self, source: Source, size: tuple[int, int]):
        self._source = source
        self._size = size

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int) -> Example:
        example = self._source[index]
        image, label = resize_pair(example["image"], example["label"], self._size)
        return {"image": image, "label": label, "id": example["id"]}

    def size(self, index: int) -> tuple[int, int]:
        """Returns the one size."""
        return self._size

    def instances(self, index: int) -> UInt16[np.ndarray, "h w"]:
        """Returns the objects of an example, resized as its label; raises as `instances_of`."""
        objects = instances_of(self._source, index)
        target = (self._size[1], self._size[0])
        return cv2.resize(objects, target, interpolation=cv2.INTER_NEAREST_EXACT)

    @property
    def checksum(self) -> str:
        """The checksum of the source: resizing is the config's, not the data's."""
        return self._source.checksum


class FirstSource:
    """The first examples of a source."""

    def __init__(self, source: Source, count: int):
        self._source, self._count = source, min(count, len(source))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Example:
        return self._source[index]

    def size(self, index: int) -> tuple[int, int]:
        """Returns (height, width) of an example without decoding it."""
        return self._source.size(index)

    def instances(self, index: int) -> UInt16[np.ndarray, "h w"]:
        """Returns the objects of an example; raises as `instances_of`."""
        return instances_of(self._source, index)

    @property
    def checksum(self) -> str:
        """That of the source and of how many are taken of it."""
        return hashlib.sha256(f"{self._source.checksum} {self._count}".encode()).hexdigest()


class CachedSource:
    """The examples of a source, each read once and then kept in memory, read-only.

    Takes 4 bytes a pixel: 63 MB for the training set of CamVid at 240 x 180. Worth it where
    decoding takes as long as a step and the set fits; wrap the resized source, not the full.
    """

    def __init__(self, source: Source):
        self._source = source
        self._kept: list[Example | None] = [None] * len(source)

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, index: int) -> Example:
        # Two threads may both read an example; they store equal ones, so no lock is needed.
        example = self._kept[index]
        if example is None:
            example = self._source[index]
            example["image"].setflags(write=False)
            example["label"].setflags(write=False)
            self._kept[index] = example
        return example

    def size(self, index: int) -> tuple[int, int]:
        """Returns (height, width) of an example without decoding it."""
        return self._source.size(index)

    def instances(self, index: int) -> UInt16[np.ndarray, "h w"]:
        """Returns the objects of an example; raises as `instances_of`."""
        return instances_of(self._source, index)

    @property
    def checksum(self) -> str:
        """The checksum of the source."""
        return self._source.checksum
