"""How often each class occurs in a split: what the weights of classes are made from.

They are counted in the labels as stored. Resizing by nearest neighbour keeps every class's
share of an image, but for sampling, and random crops keep it on average; so the weights are
those of the data, whatever size and augmentation a trial uses.
"""

import concurrent.futures
from typing import NamedTuple

import numpy as np

from seg_jax.cores import count_cores
from seg_jax.data.example import Source
from seg_jax.data.manifest import Manifest
from seg_jax.data.validate import DataError


class ClassPixels(NamedTuple):
    """Pixels by class.

    Attributes:
        pixels: pixels of every class.
        around: all pixels of the images in which the class is present, void ones included.
    """

    pixels: tuple[int, ...]
    around: tuple[int, ...]


def count_class_pixels(source: Source, num_classes: int) -> ClassPixels:
    """Counts the pixels of every class in a split.

    A prepared split's are in its manifest. Of any other (made on demand, a fold, a union),
    every example is decoded once, in threads; those that cannot be read are left out, as
    training decides what becomes of them.

    Args:
        source: the split at its stored size; not resized, so that the manifest is used.
        num_classes: classes that a label may show.
    """
    manifest = getattr(source, "manifest", None)
    if isinstance(manifest, Manifest):
        return ClassPixels(manifest.pixels[:num_classes], manifest.around[:num_classes])

    def count(position: int) -> np.ndarray | None:
        try:
            return np.bincount(source[position]["label"].ravel(), minlength=256)
        except DataError:
            return None

    pixels, around = np.zeros(256, np.int64), np.zeros(256, np.int64)
    with concurrent.futures.ThreadPoolExecutor(count_cores()) as pool:
        for counts in pool.map(count, range(len(source))):
            if counts is not None:
                pixels += counts
                around += (counts > 0) * counts.sum()
    return ClassPixels(tuple(pixels[:num_classes].tolist()), tuple(around[:num_classes].tolist()))
