"""U-Net on the 30 electron micrographs of ISBI 2012, five folds, on a CPU.

    python launch.py prepare --dataset=isbi2012
    python launch.py sweep --config=experiments/isbi2012.py --workdir=runs/isbi2012

U-Net's recipe (arXiv:1505.04597): elastic deformation on a 3 x 3 grid with displacements of 10
pixels, rotations and flips; border weights w0 = 10, sigma = 5 beside class weights; overlap-tile
with mirrored borders, averaged over the symmetries of the square. It departs from it in
width (16 features for 64), padded convolutions with batch norm, crops of 192 in batches of 2, and
a poly schedule: the paper states neither its learning rate nor when it stopped. The challenge's
test labels are not published: every fold holds out six neighbouring sections.
"""

from collections.abc import Iterator
from typing import Any

from seg_jax.config import Config, base_config


def get_config() -> Config:
    config = base_config()
    config.dataset.name = "isbi2012"
    config.dataset.train_split = "fold0_train"
    config.dataset.eval_split = "fold0_val"
    config.dataset.in_memory = True
    config.augment.crop_size = (192, 192)
    config.augment.scale_range = (1.0, 1.0)
    config.augment.flip_vertical = True
    config.augment.rotation = 180.0
    config.augment.elastic = 10.0
    config.augment.color_jitter = 0.2
    config.model = {"name": "unet", "base_features": 16, "depth": 4, "bottom_dropout_rate": 0.5}
    config.loss.border_weight = 10.0
    config.loss.border_sigma = 5.0
    config.loss.class_balance = "median_frequency"
    config.schedule.base_lr = 0.05
    config.schedule.warmup_steps = 20
    config.train.num_steps = 500
    config.train.batch_size = 2
    config.train.ema_decay = 0.98
    config.train.log_every = 20
    config.train.checkpoint_every = 100
    config.evaluate.batch_size = 2
    config.evaluate.window = "overlap_tile"
    config.evaluate.window_size = (384, 384)
    config.evaluate.window_stride = (256, 256)
    config.evaluate.rotations = True
    config.evaluate.metrics = ("isbi",)
    return config


def sweep() -> Iterator[dict[str, Any]]:
    """One trial a fold, with and without the border weights."""
    for label, weight in (("border weights", 10.0), ("class weights only", 0.0)):
        for fold in range(5):
            yield {
                "label": label,
                "dataset.train_split": f"fold{fold}_train",
                "dataset.eval_split": f"fold{fold}_val",
                "loss.border_weight": weight,
            }
