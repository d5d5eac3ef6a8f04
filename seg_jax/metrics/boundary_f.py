"""Boundary F1 score, BF: do the contours of label and prediction run close to each other?

Csurka et al. 2013 ("What is a good evaluation measure for semantic segmentation?", BMVC,
section 3.2) as SegNet reports it (arXiv:1511.00561, section 4): contour pixels match within
0.75 % of the image's diagonal, F1 is averaged over the classes that the label of an image
shows, and these means over the images.

A contour pixel of a class has a 4-neighbour that is not of the class; the edge of the image is
no contour. Ignored pixels are of no class in label and prediction alike, as in DAVIS's
evaluation. DAVIS's F is another measure: 0.8 % of the diagonal, rounded up, by dilation with a
disk, on contours between pixels.
"""

import dataclasses
from collections.abc import Mapping

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from seg_jax.labels import IGNORE_LABEL
from seg_jax.metrics.metric import Prediction
from seg_jax.metrics.ratios import divide


@dataclasses.dataclass(frozen=True)
class BoundaryF:
    """Averages F1 scores of contours, which are per class and image.

    Attributes:
        classes: names of the classes by class id.
        tolerance: Euclidean distance at which contours no longer match, as a fraction of the
            image's diagonal.
    """

    classes: tuple[str, ...]
    tolerance: float = 0.0075

    needs_probabilities = False
    needs_instances = False

    def count(self, image: Prediction) -> dict[str, np.ndarray]:
        """Returns sums of F1 and how many they are, by class [k] and by image.

        A class is counted where it occurs in the label and has a contour in label or
        prediction; it has 0 where one of them has none.
        """
        label = image.label
        prediction = np.where(label == IGNORE_LABEL, label, image.prediction)
        tolerance = self.tolerance * float(np.hypot(*label.shape))
        label_contours, predicted_contours = contours(label), contours(prediction)
        f = np.full(len(self.classes), np.nan)
        for c in np.unique(label[label != IGNORE_LABEL]):
            f[c] = match(
                label_contours & (label == c), predicted_contours & (prediction == c), tolerance
            )
        known = ~np.isnan(f)
        of_image = f[known].mean() if known.any() else 0.0
        return {
            "class_f": np.where(known, f, 0.0),
            "class_images": known.astype(np.int64),
            "image_f": np.array([of_image]),
            "images": np.array([int(known.any())]),
        }

    def score(self, counters: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Returns "boundary_f", the mean over images, and "boundary_f/<class>", over those with it.

        NaN where there is none.
        """
        each = divide(counters["class_f"], counters["class_images"])
        return {
            "boundary_f": float(divide(counters["image_f"], counters["images"])[0]),
            **{
                f"boundary_f/{name}": float(value)
                for name, value in zip(self.classes, each, strict=True)
            },
        }


def contours(ids: UInt8[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Marks pixels that have a 4-neighbour of another id."""
    marked = np.zeros(ids.shape, bool)
    rows, columns = ids[1:] != ids[:-1], ids[:, 1:] != ids[:, :-1]
    marked[1:] |= rows
    marked[:-1] |= rows
    marked[:, 1:] |= columns
    marked[:, :-1] |= columns
    return marked


def match(
    label: Bool[np.ndarray, "h w"], prediction: Bool[np.ndarray, "h w"], tolerance: float
) -> float:
    """Returns F1 of contour pixels that have one of the other contour nearer than `tolerance`.

    NaN where both contours are empty, 0 where one is.
    """
    if not label.any() and not prediction.any():
        return float("nan")
    if not label.any() or not prediction.any():
        return 0.0
    precision = np.mean(_distance_to(label)[prediction] < tolerance)
    recall = np.mean(_distance_to(prediction)[label] < tolerance)
    total = precision + recall
    return float(2 * precision * recall / total) if total else 0.0


def _distance_to(marked: np.ndarray) -> np.ndarray:
    away = (~marked).astype(np.uint8)
    return cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
