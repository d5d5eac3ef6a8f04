"""Two training examples in one: CutMix (arXiv:1905.04899) and ClassMix (arXiv:2007.07936).

Both copy pixels with their labels, so that no label is soft. ClassMix picks its classes
from predictions on unlabelled images; here they are those of the partner's label.
"""

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from seg_jax.data.augment.layers import Layers
from seg_jax.labels import IGNORE_LABEL

Mask = Callable[[UInt8[np.ndarray, "h w"], np.random.Generator], Bool[np.ndarray, "h w"]]


def paste(layers: Layers, partner: Layers, mask: Bool[np.ndarray, "h w"]) -> Layers:
    """Returns the layers with the partner's where the mask says so."""
    chosen = mask.view(np.uint8)
    border = layers.border
    if border is not None and partner.border is not None:
        border = cv2.copyTo(partner.border, chosen, np.array(border))
    return Layers(
        cv2.copyTo(partner.image, chosen, np.array(layers.image)),
        cv2.copyTo(partner.label, chosen, np.array(layers.label)),
        border,
    )


def cutmix_mask(
    partner: UInt8[np.ndarray, "h w"], rng: np.random.Generator
) -> Bool[np.ndarray, "h w"]:
    """Returns a box of the picture's aspect, whose share of the area is drawn uniformly.

    Its centre is uniform over the picture, which cuts off what lies outside (section 3.1).
    """
    side, *centre = rng.random(3)
    mask = np.zeros(partner.shape, bool)
    box = []
    for extent, fraction in zip(partner.shape, centre, strict=True):
        half, middle = int(extent * side**0.5) // 2, int(extent * fraction)
        box.append(slice(max(0, middle - half), middle + half))
    mask[tuple(box)] = True
    return mask


def classmix_mask(
    partner: UInt8[np.ndarray, "h w"], rng: np.random.Generator
) -> Bool[np.ndarray, "h w"]:
    """Returns the pixels of half of the partner's classes, rounded up, drawn at random.

    Pixels that are not counted belong to no class and are never pasted.
    """
    classes = np.flatnonzero(np.bincount(partner.ravel(), minlength=256)[:IGNORE_LABEL])
    chosen = rng.choice(classes, (len(classes) + 1) // 2, replace=False)
    pasted = np.zeros(256, bool)
    pasted[chosen] = True
    return pasted[partner]


MASKS: dict[str, Mask] = {"cutmix": cutmix_mask, "classmix": classmix_mask}
"""Kind of mixing -> (partner's label, rng) -> where the partner is pasted."""
