"""What a metric beyond the confusion matrix is: counters of an image, and scores of their sums.

Counters are kept per image, so that scores, intervals and tests over images can be computed
again without the network.
"""

import dataclasses
from collections.abc import Mapping
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8, UInt16


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What is known about one evaluated image, on the host.

    Attributes:
        prediction: class ids [h, w].
        label: class ids, IGNORE_LABEL where the pixel does not count.
        probabilities: of every class; `None` unless the metric asks for them.
        instances: number of the object at each pixel, 0 for none; `None` unless the metric asks
            for them.
    """

    prediction: UInt8[np.ndarray, "h w"]
    label: UInt8[np.ndarray, "h w"]
    probabilities: Float[np.ndarray, "h w k"] | None = None
    instances: UInt16[np.ndarray, "h w"] | None = None


@runtime_checkable
class Metric(Protocol):
    """A metric; pure, and safe from threads.

    Attributes:
        needs_probabilities: whether `count` reads `Prediction.probabilities`.
        needs_instances: whether `count` reads `Prediction.instances`.
    """

    needs_probabilities: bool
    needs_instances: bool

    def count(self, image: Prediction) -> dict[str, np.ndarray]:
        """Returns the image's counters: arrays of fixed shapes that add up over images."""
        ...

    def score(self, counters: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Returns the scores by name, fractions, of counters summed over images; NaN for none."""
        ...


Array = TypeVar("Array", bound=np.ndarray)


def given(array: Array | None, name: str) -> Array:
    """Returns the array of a prediction that a metric asked for.

    Raises:
        ValueError: the evaluation did not supply it.
    """
    if array is None:
        raise ValueError(
            f"This metric reads Prediction.{name}, which is None: supply it to every metric "
            f"whose needs_{name} is true."
        )
    return array
