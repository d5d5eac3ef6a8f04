"""CamVid at 240x180 in laptop widths, and what ImageNet weights are worth, on a CPU.

    python launch.py prepare --dataset=camvid
    python launch.py sweep --config=experiments/camvid.py --workdir=runs/camvid

Five architectures from scratch (Brostow et al. 2009; SegNet's 11 classes), and DeepLabv3+ over a
full-width MobileNetV2 from scratch and from ImageNet. The last one needs the weights: torchvision's
mobilenet_v2-b0353104 as safetensors at weights/mobilenet_v2-b0353104.safetensors, or elsewhere with
--config.weights.path=FILE. Averages of the weights are evaluated; camvid_losses.py asks what the
loss is worth, camvid_full.py is for accelerators.
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
            "fc_kernel_size": 3,
            "backbone": {"name": "vgg16", "width": 0.125, "batch_norm": True},
        },
    },
    {"label": "U-Net", "model": {"name": "unet", "base_features": 8, "depth": 4}},
    {
        "label": "DeepLabv3",
        "model": {
            "name": "deeplab_v3",
            "atrous_rates": (3, 6, 9),
            "head_features": 48,
            "backbone": {**RESNET, "output_stride": 8},
        },
    },
    {
        "label": "DeepLabv3+",
        "model": {
            "name": "deeplab_v3plus",
            "atrous_rates": (2, 4, 6),
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

MOBILENET = {
    "name": "deeplab_v3plus",
    "atrous_rates": (2, 4, 6),
    "head_features": 96,
    "backbone": {"name": "mobilenet_v2", "output_stride": 16},
}

WEIGHTS = [
    {"label": "DeepLabv3+ MobileNetV2, scratch", "model": MOBILENET},
    {
        "label": "DeepLabv3+ MobileNetV2, ImageNet",
        "model": MOBILENET,
        "weights.name": "mobilenet_v2_imagenet",
    },
]


def get_config() -> Config:
    config = base_config()
    config.dataset.name = "camvid"
    config.dataset.size = (180, 240)
    config.dataset.in_memory = True
    config.augment.crop_size = (128, 160)
    config.augment.scale_range = (0.75, 1.5)
    config.augment.color_jitter = 0.3
    config.weights.path = "weights/mobilenet_v2-b0353104.safetensors"
    config.schedule.base_lr = 0.1
    config.schedule.warmup_steps = 20
    config.train.ema_decay = 0.98
    config.train.num_steps = 400
    config.train.batch_size = 8
    config.train.log_every = 20
    config.train.checkpoint_every = 100
    config.evaluate.batch_size = 8
    return config


def sweep() -> Iterator[dict[str, Any]]:
    """Network x seed. Seeds vary slowest: the second finds its program compiled."""
    for networks in (ARCHITECTURES, WEIGHTS):
        for seed in range(2):
            for network in networks:
                yield {**network, "seed": seed}
