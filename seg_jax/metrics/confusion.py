"""Confusion matrices: counted as integers on the device, read as float64 on the host."""

import dataclasses

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, Integer

from seg_jax.labels import IGNORE_LABEL
from seg_jax.metrics.ratios import divide, mean_of_known


def confusion_matrix(
    predictions: Integer[Array, "b h w"], labels: Integer[Array, "b h w"], num_classes: int
) -> Int[Array, "b {num_classes} {num_classes}"]:
    """Counts each image's pixels by (label row, prediction column); ignored pixels are left out.

    Additive over images, batches and devices: summing the result of any split of a dataset
    gives the same matrix. int32 is exact for images of up to 2**31 pixels; sum over images
    on the host in int64.
    """
    batch, size = labels.shape[0], num_classes**2
    index = labels.astype(jnp.int32) * num_classes + predictions.astype(jnp.int32)
    index = jnp.where(labels == IGNORE_LABEL, size, index)
    image = jnp.arange(batch, dtype=jnp.int32).reshape(-1, 1, 1)
    # One bin more an image takes the ignored pixels and is cut off.
    counts = jnp.bincount((index + image * (size + 1)).reshape(-1), length=batch * (size + 1))
    counts = counts.reshape(batch, size + 1)[:, :size]
    return counts.reshape(batch, num_classes, num_classes).astype(jnp.int32)


@dataclasses.dataclass(frozen=True)
class Scores:
    """The field's metrics of one confusion matrix, all fractions in [0, 1].

    A class that does not occur where a score looks for it has NaN there, and means leave it out.

    Attributes:
        miou: mean IoU over the classes that occur in labels or predictions.
        iou: IoU per class [k], NaN where a class occurs in neither.
        pixel_accuracy: share of counted pixels that are right.
        mean_accuracy: mean over the classes that occur in the labels of their pixels' accuracy.
        frequency_weighted_iou: IoU weighted by the classes' share of the labels.
        mean_dice: mean Dice over the classes that occur in labels or predictions.
        dice: Dice coefficient (F1 score of the pixels) per class [k], twice the intersection
            over the sum of both areas; NaN where a class occurs in neither.
        precision: share of the pixels predicted as a class that are of it [k], NaN where it is
            never predicted.
        recall: share of a class's pixels that are predicted as it [k], its accuracy; NaN where
            it does not occur in the labels.
    """

    miou: float
    iou: np.ndarray
    pixel_accuracy: float
    mean_accuracy: float
    frequency_weighted_iou: float
    mean_dice: float
    dice: np.ndarray
    precision: np.ndarray
    recall: np.ndarray


def scores(confusion: np.ndarray) -> Scores:
    """Reads the metrics of Long et al. 2015 (arXiv:1411.4038, section 5) and others off a matrix.

    Args:
        confusion: counts [k, k] over the whole dataset, label rows and prediction columns.
            Never average the scores of batches or images: IoU is not linear in them.

    Returns:
        The scores; all NaN when no pixel was counted.
    """
    confusion = np.asarray(confusion, np.float64)
    hits = np.diag(confusion)
    labelled, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    iou = divide(hits, labelled + predicted - hits)
    dice = divide(2 * hits, labelled + predicted)
    recall = divide(hits, labelled)
    total = labelled.sum()
    return Scores(
        miou=mean_of_known(iou),
        iou=iou,
        pixel_accuracy=float(divide(hits.sum(), total)),
        mean_accuracy=mean_of_known(recall),
        frequency_weighted_iou=float(divide(np.nansum(labelled * iou), total)),
        mean_dice=mean_of_known(dice),
        dice=dice,
        precision=divide(hits, predicted),
        recall=recall,
    )
