"""Expected and maximum calibration error (Guo et al. 2017, arXiv:1706.04599, section 2).

Confidence is the probability of the predicted class. A network is calibrated when of the
pixels to which it gives the confidence p a share of p is right.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from seg_jax.labels import IGNORE_LABEL
from seg_jax.metrics.metric import Prediction, given
from seg_jax.metrics.ratios import divide


@dataclasses.dataclass(frozen=True)
class Calibration:
    """Compares confidence with accuracy in bins of equal width.

    Attributes:
        classes: names of the classes by class id.
        bins: number of bins; bin m of M holds the confidences in ((m - 1) / M, m / M].
    """

    classes: tuple[str, ...]
    bins: int = 15

    needs_probabilities = True
    needs_instances = False

    def count(self, image: Prediction) -> dict[str, np.ndarray]:
        """Returns "pixels", "hits" (int64) and "confidence" (summed, float64) of each bin."""
        counted = image.label != IGNORE_LABEL
        predicted = image.prediction[counted].astype(np.intp)
        probabilities = given(image.probabilities, "probabilities")[counted]
        confidence = np.take_along_axis(probabilities, predicted[:, None], axis=1)[:, 0]
        confidence = confidence.astype(np.float64)
        # A probability of 0, or one rounded above 1, is not to fall outside.
        index = np.clip(np.ceil(confidence * self.bins) - 1, 0, self.bins - 1).astype(np.intp)
        right = predicted == image.label[counted]
        return {
            "pixels": np.bincount(index, minlength=self.bins),
            "hits": np.bincount(index[right], minlength=self.bins),
            "confidence": np.bincount(index, weights=confidence, minlength=self.bins),
        }

    def score(self, counters: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Returns "ece", the bins' gaps weighted by their pixels, and "mce", the largest gap."""
        pixels = counters["pixels"]
        if not pixels.sum():
            return {"ece": float("nan"), "mce": float("nan")}
        gaps = np.abs(divide(counters["hits"] - counters["confidence"], pixels))
        return {
            "ece": float(np.nansum(gaps * pixels) / pixels.sum()),
            "mce": float(np.nanmax(gaps)),
        }
