"""Mean IoU in bands of several widths around the void label (VOC's object boundaries).

Kohli et al. 2009 ("Robust higher order potentials for enforcing label consistency", section
5); DeepLab (arXiv:1606.00915, section 4.1) on VOC, whose objects have a void contour. A width
is counted from the void pixels outwards by Chebyshev distance, as in the splits
`val_trimap_<width>` of the dataset `voc2012`, so both give the same number.
"""

import dataclasses
from collections.abc import Mapping

import cv2
import numpy as np

from seg_jax.labels import IGNORE_LABEL
from seg_jax.metrics.metric import Prediction
from seg_jax.metrics.ratios import divide, mean_of_known


@dataclasses.dataclass(frozen=True)
class Trimap:
    """Scores each band as if every pixel outside were ignored.

    Attributes:
        classes: names of the classes by class id.
        widths: pixels from void that still belong to a band, ascending.
    """

    classes: tuple[str, ...]
    widths: tuple[int, ...] = (1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40)

    needs_probabilities = False
    needs_instances = False

    def count(self, image: Prediction) -> dict[str, np.ndarray]:
        """Returns pixels in "intersection" and "union" of label and prediction [widths, k].

        The class by class matrix is not kept: with many classes and widths it would weigh
        megabytes an image, and mean IoU does not need it.
        """
        void = image.label == IGNORE_LABEL
        distance = cv2.distanceTransform((~void).astype(np.uint8), cv2.DIST_C, 3)
        # Index of the narrowest band that a pixel lies in; beyond the last: in none, as
        # everywhere where there is no void, since distances are then in the thousands.
        band = np.searchsorted(self.widths, distance)
        inside = ~void & (band < len(self.widths))
        label, prediction = image.label[inside], image.prediction[inside]
        band, right = band[inside], label == prediction
        intersection = self._cumulate(band[right], label[right])
        both = self._cumulate(band, label) + self._cumulate(band, prediction)
        return {"intersection": intersection, "union": both - intersection}

    def score(self, counters: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Returns "trimap_miou/<width>", NaN where no label has a void pixel."""
        iou = divide(counters["intersection"], counters["union"])
        return {
            f"trimap_miou/{width}": mean_of_known(row)
            for width, row in zip(self.widths, iou, strict=True)
        }

    def _cumulate(self, band: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Returns how often each class occurs in each band; wide bands hold the narrow ones."""
        k = len(self.classes)
        counts = np.bincount(band * k + ids, minlength=len(self.widths) * k)
        return counts.reshape(len(self.widths), k).cumsum(axis=0)
