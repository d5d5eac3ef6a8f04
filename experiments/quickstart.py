"""The default comparison: five architectures in laptop widths on the embedded scenes.

    python launch.py

About ten minutes on two CPU cores. Every architecture gets the same images in the same
order, the same optimiser and the same number of steps; only the network differs. The report
shows by what they differ: IoU by object size, line width, context distance and boundary.
"""

from collections.abc import Iterator
from typing import Any

from seg_jax.config import Config, base_config

RESNET = {"name": "resnet18", "width": 16}

ARCHITECTURES = [
    {
        "label": "FCN-8s",
        "model": {
            "name": "fcn8s",
            "fc_features": 256,
            "backbone": {"name": "vgg16", "width": 0.125, "batch_norm": True},
        },
    },
    {
        "label": "U-Net",
        "model": {"name": "unet", "base_features": 8, "depth": 4},
    },
    {
        "label": "DeepLabv3",
        "model": {
            "name": "deeplab_v3",
            "atrous_rates": (2, 4, 6),
            "head_features": 48,
            "backbone": {**RESNET, "output_stride": 8},
        },
    },
    {
        "label": "DeepLabv3+",
        "model": {
            "name": "deeplab_v3plus",
            "atrous_rates": (1, 2, 3),
            "head_features": 48,
            "backbone": {**RESNET, "output_stride": 16},
        },
    },
    {
        "label": "FastFCN",
        "model": {
            "name": "fastfcn",
            "head_features": 48,
            "jpu_features": 48,
            "backbone": {**RESNET, "output_stride": 32},
        },
    },
]


def get_config() -> Config:
    config = base_config()
    config.dataset.name = "scenes"
    config.augment.crop_size = (96, 96)
    config.augment.scale_range = (1.0, 1.0)  # object size is a factor of the dataset
    config.train.num_steps = 300
    config.train.batch_size = 8
    config.train.log_every = 10
    config.train.checkpoint_every = 100
    config.schedule.base_lr = 0.1
    config.schedule.warmup_steps = 20
    config.evaluate.batch_size = 8
    return config


def sweep() -> Iterator[dict[str, Any]]:
    """Architecture x seed, which decides weights, order of the images and flips.

    Seeds vary slowest: the second finds its program compiled.
    """
    for seed in range(2):
        for network in ARCHITECTURES:
            yield {**network, "seed": seed}
