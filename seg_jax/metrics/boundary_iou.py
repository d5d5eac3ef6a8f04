"""Boundary IoU (Cheng et al. 2021, arXiv:2103.16562, section 4.1), for semantic classes.

The IoU of what lies within d pixels of the edge of a mask, inside the mask. d is 2 % of the
image's diagonal, the authors' value for COCO; for Cityscapes they take 0.5 %. Their code
(https://github.com/bowenc0221/boundary-iou-api, utils/boundary_utils.py) erodes the mask d
times by a 3 x 3 square, in a frame of zeros, so that the edge of the image is an edge of the
mask. That is the set of pixels with another class, or the outside, at a Chebyshev distance of
at most d, which two filters find for all classes at once.

The paper scores objects; here, as in mean IoU, the pixels of a class are summed over all
images before the division. Ignored pixels are another class where the label's edges are
found, and are then counted nowhere, as in the authors' evaluation of panoptic Cityscapes.
"""

import dataclasses
from collections.abc import Mapping

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from seg_jax.labels import IGNORE_LABEL
from seg_jax.metrics.metric import Prediction
from seg_jax.metrics.ratios import by_class, count_ids, divide


@dataclasses.dataclass(frozen=True)
class BoundaryIoU:
    """Compares what lies along the edges of classes in label and prediction.

    Attributes:
        classes: names of the classes by class id.
        dilation_ratio: width of the band as a fraction of the image's diagonal.
    """

    classes: tuple[str, ...]
    dilation_ratio: float = 0.02

    needs_probabilities = False
    needs_instances = False

    def count(self, image: Prediction) -> dict[str, np.ndarray]:
        """Returns pixels in "intersection" and "union" of the classes' bands, int64 [k]."""
        label, prediction, k = image.label, image.prediction, len(self.classes)
        width = max(1, round(self.dilation_ratio * float(np.hypot(*label.shape))))
        counted = label != IGNORE_LABEL
        in_label = near_edge(label, width) & counted
        in_prediction = near_edge(prediction, width) & counted
        in_both = in_label & in_prediction & (label == prediction)
        intersection = count_ids(label[in_both], k)
        both = count_ids(label[in_label], k) + count_ids(prediction[in_prediction], k)
        return {"intersection": intersection, "union": both - intersection}

    def score(self, counters: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Returns "boundary_iou/<class>", NaN where a class occurs nowhere, and their mean."""
        iou = divide(counters["intersection"], counters["union"])
        return by_class("boundary_iou", iou, self.classes)


def near_edge(ids: UInt8[np.ndarray, "h w"], width: int) -> Bool[np.ndarray, "h w"]:
    """Marks pixels with another id, or the outside of the image, at most `width` pixels away."""
    square = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    near = cv2.erode(ids, square) != cv2.dilate(ids, square)
    near[:width] = near[-width:] = True
    near[:, :width] = near[:, -width:] = True
    return near
