"""A source in memory, and a CamVid of a few small pictures in the layout of its publisher."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from seg_jax.data.datasets.camvid import SPEC, VOID

HEIGHT, WIDTH = 12, 16


def write_split(root: Path, split: str, count: int, *, suffix: str = ".png") -> None:
    rng = np.random.default_rng(len(split))
    images, labels = root / split, root / f"{split}annot"
    images.mkdir(parents=True)
    labels.mkdir()
    for i in range(count):
        image = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        label = rng.integers(0, SPEC.num_classes, (HEIGHT, WIDTH), np.uint8)
        label[0, :3] = VOID
        cv2.imwrite(str(images / f"{split}_{i}{suffix}"), image)
        cv2.imwrite(str(labels / f"{split}_{i}.png"), label)


@pytest.fixture
def camvid_tree(tmp_path) -> Callable[..., Path]:
    """Returns a function (split=count, suffix=) -> the folder it wrote those splits into."""

    def write(*, suffix: str = ".png", **counts: int) -> Path:
        root = tmp_path / "published"
        for split, count in counts.items():
            write_split(root, split, count, suffix=suffix)
        return root

    return write


class MemorySource:
    """A Source over lists; `reads` counts how often an example was taken."""

    checksum = "of a source in memory"

    def __init__(self, labels, images=None):
        self.labels = labels
        self.images = [np.stack([x] * 3, -1) for x in labels] if images is None else images
        self.reads = 0

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        self.reads += 1
        image, label = self.images[index].copy(), self.labels[index].copy()
        return {"image": image, "label": label, "id": f"n{index}"}

    def size(self, index):
        return self.labels[index].shape


@pytest.fixture
def memory_source():
    """Returns the class of sources in memory: labels [h, w], and images painted like them."""
    return MemorySource
