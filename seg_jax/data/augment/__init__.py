from seg_jax.data.augment.augmentation import Augmentation
from seg_jax.data.augment.crop import PAD_COLOR

__all__ = ["PAD_COLOR", "Augmentation"]
