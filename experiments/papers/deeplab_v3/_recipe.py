"""DeepLabv3's recipe on Pascal VOC (arXiv:1706.05587, section 4)."""

from typing import Any

from experiments.papers._published import published
from seg_jax.config import Config, base_config

SOURCE = "arXiv:1706.05587"
SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
PROTOCOLS = {
    "OS 16": {"evaluate.output_stride": 16},
    "OS 8": {"evaluate.output_stride": 8},
    "OS 8, MS": {"evaluate.output_stride": 8, "evaluate.scales": SCALES},
    "OS 8, MS, flip": {
        "evaluate.output_stride": 8,
        "evaluate.scales": SCALES,
        "evaluate.flip": True,
    },
}


def backbone(name: str = "resnet101", output_stride: int = 16, **fields: Any) -> dict[str, Any]:
    """Returns the section `model.backbone` of a ResNet."""
    return {"name": name, "output_stride": output_stride, **fields}


def voc(name: str = "resnet101") -> Config:
    """Returns the network of 77.21: ASPP at stride 16, multi-grid, from ImageNet, trainaug."""
    config = base_config()
    config.dataset.name = "voc"
    config.dataset.train_split = "trainaug"
    config.augment.crop_size = (513, 513)
    config.augment.scale_step = 0.25
    config.model = {"name": "deeplab_v3", "backbone": backbone(name, multi_grid=(1, 2, 4))}
    config.weights.name = f"{name}_imagenet"
    config.weights.path = f"weights/{name}_imagenet.safetensors"
    config.schedule.base_lr = 0.007
    config.train.batch_size = 16
    config.train.num_steps = 30000
    config.evaluate.window = "pad"
    config.evaluate.window_size = (513, 513)
    return config


def row(table: str, name: str, miou: float, overrides: dict[str, Any]) -> dict[str, Any]:
    """Returns the overrides of a row, its label and its published figure included."""
    return {"label": name, **overrides, **published(SOURCE, table, name, miou=miou)}
