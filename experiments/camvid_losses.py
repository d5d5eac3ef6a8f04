"""What the loss is worth to rare classes: DeepLabv3+ on CamVid at 240x180, on a CPU.

    python launch.py prepare --dataset=camvid
    python launch.py sweep --config=experiments/camvid_losses.py --workdir=runs/camvid_losses

The network and recipe of camvid.py from scratch; only the loss differs. Poles, signs, people and
bicycles hold 4 % of CamVid's pixels and four of its eleven classes.
"""

from collections.abc import Iterator
from typing import Any

from experiments import camvid
from seg_jax.config import Config
from seg_jax.sweeps.overrides import product

LOSSES = [
    {"label": "cross-entropy"},
    {"label": "median frequency", "loss.class_balance": "median_frequency"},
    {"label": "top 25 % of pixels", "loss.terms": {"top_k": {}}},
    {"label": "focal", "loss.terms": {"focal": {}}},
    {"label": "cross-entropy + Dice", "loss.terms": {"cross_entropy": {}, "dice": {}}},
    {"label": "cross-entropy + Lovasz", "loss.terms": {"cross_entropy": {}, "lovasz": {}}},
]


def get_config() -> Config:
    config = camvid.get_config()
    config.model = next(n["model"] for n in camvid.ARCHITECTURES if n["label"] == "DeepLabv3+")
    return config


def sweep() -> Iterator[dict[str, Any]]:
    """Loss x seed."""
    return product(LOSSES, seed=range(2))
