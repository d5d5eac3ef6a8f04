"""DeepLabv3, table 3: multi-grid rates, with and without cascaded blocks.

    python launch.py prepare --dataset=voc
    python launch.py sweep --config=experiments/papers/deeplab_v3/table3.py --workdir=runs/dlv3_t3

20 trainings of 30,000 steps of 16 crops of 513x513; one took the paper 3.65 days on a K80. Needs
torchvision's ResNet-101 of ImageNet at weights/resnet101_imagenet.safetensors. Not yet run.
"""

from collections.abc import Iterator
from typing import Any

from experiments.papers.deeplab_v3 import _recipe as recipe
from seg_jax.config import Config

MIOU = {
    (1, 1, 1): (68.39, 73.21, 75.34, 75.76),
    (1, 2, 1): (70.23, 75.67, 76.09, 76.66),
    (1, 2, 3): (73.14, 75.78, 75.96, 76.11),
    (1, 2, 4): (73.45, 75.74, 75.85, 76.02),
    (2, 2, 2): (71.45, 74.30, 74.70, 74.62),
}
"""Multi-grid -> mIoU with blocks up to 4, 5, 6 and 7."""


def get_config() -> Config:
    config = recipe.voc()
    config.model.aspp = False
    return config


def sweep() -> Iterator[dict[str, Any]]:
    """Multi-grid x number of cascaded blocks."""
    for multi_grid, figures in MIOU.items():
        for cascaded, miou in enumerate(figures):
            name = f"block{4 + cascaded} {multi_grid}"
            backbone = recipe.backbone(multi_grid=multi_grid, cascaded_stages=cascaded)
            yield recipe.row("Table 3", name, miou, {"model.backbone": backbone})
