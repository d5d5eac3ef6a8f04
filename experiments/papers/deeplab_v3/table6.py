"""DeepLabv3, table 6: one trained network, evaluated at finer strides, with scales and flips.

    python launch.py prepare --dataset=voc
    python launch.py sweep --config=experiments/papers/deeplab_v3/table6.py --workdir=runs/dlv3_t6

The sweep trains the same network once a row, 30,000 steps of 16 crops of 513x513 each. Cheaper:
train the first, and evaluate it as the others say with `launch.py eval`. Needs torchvision's
ResNet-101 of ImageNet at weights/resnet101_imagenet.safetensors. Not yet run.
"""

from collections.abc import Iterator
from typing import Any

from experiments.papers.deeplab_v3 import _recipe as recipe
from seg_jax.config import Config

MIOU = {"OS 16": 77.21, "OS 8": 78.51, "OS 8, MS": 79.45, "OS 8, MS, flip": 79.77}
MISSING = {
    "OS 8, MS, flip, COCO (82.7)": "needs a network trained on 60,000 images of COCO first, whose "
    "recipe (steps, schedule) is not published"
}


def get_config() -> Config:
    return recipe.voc()


def sweep() -> Iterator[dict[str, Any]]:
    """One trial a protocol."""
    for name, miou in MIOU.items():
        yield recipe.row("Table 6", name, miou, recipe.PROTOCOLS[name])
