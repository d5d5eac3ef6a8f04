"""The scores of many confusion matrices at once, from three counters a class; without jax.

Every score of Long et al. 2015 (arXiv:1411.4038, section 5) is a function of a class's hits, its
labelled pixels and its predicted pixels. Kept per image, they are what intervals and tests over
images resample (`metrics.confidence`).
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Integer


def class_counts(confusion: Integer[np.ndarray, "n k k"]) -> dict[str, np.ndarray]:
    """Returns what the scores need of the confusion matrix of every image.

    Three counters a class, not k, so that 5000 images of 150 classes take 18 MB and not 900.

    Args:
        confusion: label rows and prediction columns, as `metrics.confusion` counts them.

    Returns:
        "hits", "labelled" and "predicted", each float64 [n, k] of whole numbers.
    """
    return {
        "hits": np.einsum("nkk->nk", confusion).astype(np.float64),
        "labelled": confusion.sum(axis=2).astype(np.float64),
        "predicted": confusion.sum(axis=1).astype(np.float64),
    }


def class_scores(counters: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the scores of `metrics.confusion.scores` for many sums of `class_counts` at once.

    As there, a class that occurs neither in labels nor in predictions is left out of the means:
    of a resample that does not show it, too.

    Args:
        counters: "hits", "labelled" and "predicted", each [r, k].

    Returns:
        "miou", "pixel_accuracy", "mean_accuracy" and "frequency_weighted_iou", each [r].
    """
    hits, labelled = counters["hits"], counters["labelled"]
    union = labelled + counters["predicted"] - hits
    iou = _divide(hits, union, empty=0.0)
    total = labelled.sum(axis=1)
    return {
        "miou": _divide(iou.sum(axis=1), (union > 0).sum(axis=1), empty=np.nan),
        "pixel_accuracy": _divide(hits.sum(axis=1), total, empty=np.nan),
        "mean_accuracy": _divide(
            _divide(hits, labelled, empty=0.0).sum(axis=1),
            (labelled > 0).sum(axis=1),
            empty=np.nan,
        ),
        "frequency_weighted_iou": _divide((labelled * iou).sum(axis=1), total, empty=np.nan),
    }


def _divide(
    numerator: Float[np.ndarray, "..."], denominator: np.ndarray, *, empty: float
) -> Float[np.ndarray, "..."]:
    """Returns the quotient, `empty` where the denominator is 0."""
    result = np.full(numerator.shape, empty)
    return np.divide(numerator, denominator, out=result, where=denominator > 0)
