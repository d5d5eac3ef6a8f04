"""A CamVid of a few small pictures in the layout of its publisher."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from seg_jax.data.camvid import SPEC, VOID

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
