"""Pixel, Rand and warping error of the ISBI 2012 challenge (Arganda-Carreras et al. 2015).

Frontiers in Neuroanatomy 9:142; https://imagej.net/events/isbi-2012-segmentation-challenge.
As the challenge's scripts compute them with https://github.com/fiji/Trainable_Segmentation: the
probability of a cell is cut at thresholds in steps of 0.1, counts are summed over the images,
and every error is that of its own best threshold, one for all images.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from seg_jax.labels import IGNORE_LABEL
from seg_jax.metrics.isbi.mismatches import count_splits_and_merges
from seg_jax.metrics.isbi.rand import count_pairs, number_cells
from seg_jax.metrics.isbi.thinning import thin
from seg_jax.metrics.isbi.warping import warp
from seg_jax.metrics.metric import Prediction, given
from seg_jax.metrics.ratios import divide

CLASSES = ("membrane", "cell")

THRESHOLDS = np.cumsum([0.0] + [0.1] * 10)
"""A running sum, as in the scripts, whose last value is therefore a little below 1."""

_HALF = 5
_WARPED = 10
"""The warping error leaves out the last threshold."""


@dataclasses.dataclass(frozen=True)
class ISBI:
    """Takes seconds an image, most of them for the warping error.

    Attributes:
        classes: CLASSES, in any order.

    Raises:
        ValueError: they are other classes.
    """

    classes: tuple[str, ...]

    needs_probabilities = True
    needs_instances = False

    def __post_init__(self):
        if sorted(self.classes) != sorted(CLASSES):
            raise ValueError(
                f"Metric 'isbi' is defined for the two classes {', '.join(CLASSES)}, but this "
                f"dataset has {len(self.classes)}, the first of them {self.classes[0]!r}: take "
                "'isbi' out of config.evaluate.metrics."
            )

    def count(self, image: Prediction) -> dict[str, np.ndarray]:
        """Returns counts of pixels and of pairs of pixels, by threshold where one is needed.

        Raises:
            ValueError: the label has ignored pixels.
        """
        if (image.label == IGNORE_LABEL).any():
            raise ValueError(
                "Metric 'isbi' needs a class at every pixel, but this label has ignored ones: "
                "take 'isbi' out of config.evaluate.metrics, or evaluate without padding."
            )
        cell = self.classes.index("cell")
        label = image.label == cell
        probability = given(image.probabilities, "probabilities")[..., cell].astype(np.float64)
        numbers = number_cells(label)
        predictions = [probability > threshold for threshold in THRESHOLDS]
        components = [number_cells(prediction) for prediction in predictions]
        pairs = np.array([count_pairs(numbers, found) for found in components])
        thinned = np.array([count_pairs(numbers, thin(found)) for found in components])
        scored = label.any()
        f = _f_score(*thinned.T) if scored else np.zeros(len(THRESHOLDS))
        warping = [
            count_splits_and_merges(warp(label, probability, threshold), prediction)
            for threshold, prediction in zip(
                THRESHOLDS[:_WARPED], predictions[:_WARPED], strict=True
            )
        ]
        return {
            "hits": np.array([np.count_nonzero(label & p) for p in predictions]),
            "predicted": np.array([np.count_nonzero(p) for p in predictions]),
            "labelled": np.array([np.count_nonzero(label)]),
            "pairs": pairs,
            "thinned_f": f,
            "thinned_images": np.array([int(scored)]),
            "splits_and_merges": np.array(warping),
            "pixels": np.array([label.size]),
        }

    def score(self, counters: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Returns "pixel_error", the same at threshold 0.5, "rand_error" and "warping_error".

        "rand_error_thinned" is 1 minus the paper's final V^Rand (thinned), whose F scores are
        averaged over the images. All are NaN where no image was counted.
        """
        pixel = _f_score(counters["hits"], counters["predicted"], counters["labelled"])
        thinned = divide(counters["thinned_f"], counters["thinned_images"])
        warping = divide(counters["splits_and_merges"], counters["pixels"])
        return {
            "pixel_error": float(1 - pixel.max()),
            "pixel_error_at_half": float(1 - pixel[_HALF]),
            "rand_error": float(1 - _f_score(*counters["pairs"].T).max()),
            "rand_error_thinned": float(1 - thinned.max()),
            "warping_error": float(warping.min()),
        }


def _f_score(hits: np.ndarray, predicted: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Returns the harmonic mean of precision and recall."""
    return divide(2 * hits, predicted + labelled)
