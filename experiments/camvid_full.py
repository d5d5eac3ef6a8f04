"""Five architectures on CamVid at its full 480x360 (Brostow et al. 2009; SegNet's 11 classes).

    python launch.py prepare --dataset=camvid
    python launch.py sweep --config=experiments/camvid_full.py --workdir=runs/camvid_full

For accelerators. Every backbone starts from random weights, so that the architectures and
nothing else differ; `weights` in a copy of this file starts from published ones.
Recipe: SGD, momentum 0.9, poly schedule of power 0.9 and weight decay 1e-4 as in DeepLabv3
(arXiv:1706.05587, section 4.1); whole images at random scales 0.5 to 2 cropped back to
360x480; 120 epochs of 367 images at batch 16. Averages of the weights are evaluated.
"""

from collections.abc import Iterator
from typing import Any

from seg_jax.config import Config, base_config

RESNET = {"name": "resnet50"}

ARCHITECTURES = [
    {
        "label": "FCN-8s",
        "model": {
            "name": "fcn8s",
            "fc_features": 1024,
            "backbone": {"name": "vgg16", "batch_norm": True},
        },
    },
    {"label": "U-Net", "model": {"name": "unet", "base_features": 64, "depth": 4}},
    {
        "label": "DeepLabv3",
        "model": {
            "name": "deeplab_v3",
            "atrous_rates": (12, 24, 36),
            "backbone": {**RESNET, "output_stride": 8},
        },
    },
    {
        "label": "DeepLabv3+",
        "model": {
            "name": "deeplab_v3plus",
            "atrous_rates": (6, 12, 18),
            "backbone": {**RESNET, "output_stride": 16},
        },
    },
    {
        "label": "FastFCN",
        "model": {"name": "fastfcn", "aux": True, "backbone": {**RESNET, "output_stride": 32}},
    },
]


def get_config() -> Config:
    config = base_config()
    config.dataset.name = "camvid"
    config.dataset.in_memory = True
    config.augment.crop_size = (360, 480)
    config.augment.color_jitter = 0.3
    config.schedule.base_lr = 0.02
    config.schedule.warmup_steps = 100
    config.train.ema_decay = 0.999
    config.train.num_steps = 2750
    config.train.batch_size = 16
    config.train.log_every = 25
    config.train.checkpoint_every = 250
    config.evaluate.batch_size = 16
    return config


def sweep() -> Iterator[dict[str, Any]]:
    """Architecture x seed. Seeds vary slowest: the second finds its program compiled."""
    for seed in range(3):
        for network in ARCHITECTURES:
            yield {**network, "seed": seed}
