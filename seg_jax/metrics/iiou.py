"""Cityscapes' instance-level IoU: as IoU, but small objects weigh as much as large ones.

Cordts et al. 2016 (arXiv:1604.01685, section 3.2), as the publisher's script has it
(https://github.com/mcordts/cityscapesScripts, evaluation/evalPixelLevelSemanticLabeling.py):
the pixels of an object, found or missed, weigh the average size of its class's objects over
its own size; falsely predicted pixels weigh 1, as no object is known to which they belong.
Pixels of a group of objects are in no object and count only against other classes.
"""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from seg_jax.labels import IGNORE_LABEL
from seg_jax.metrics.metric import Prediction, given
from seg_jax.metrics.ratios import by_class, count_ids, divide

OBJECTS = MappingProxyType(
    {
        "person": (24, 3462.4756337644),
        "rider": (25, 3930.4788056518),
        "car": (26, 12794.0202738185),
        "truck": (27, 27855.1264367816),
        "bus": (28, 35732.1511111111),
        "train": (31, 67583.7075812274),
        "motorcycle": (32, 6298.7200839748),
        "bicycle": (33, 4672.3249222261),
    }
)
"""Class -> its label id and the average size of its objects in pixels, the script's constants."""

_PER_LABEL = 1000
"""An object's number is its label id times this, plus its place among the objects."""


@dataclasses.dataclass(frozen=True)
class InstanceIoU:
    """Weighs the pixels of every object by its size.

    Attributes:
        classes: names of the classes by class id; those of OBJECTS must be among them.

    Raises:
        ValueError: they are not.
    """

    classes: tuple[str, ...]

    needs_probabilities = False
    needs_instances = True

    def __post_init__(self):
        missing = [name for name in OBJECTS if name not in self.classes]
        if missing:
            raise ValueError(
                "Metric 'iiou' is published for Cityscapes only, by the average sizes of its "
                f"objects, but this dataset has no class {missing[0]!r}: take 'iiou' out of "
                "config.evaluate.metrics."
            )

    def count(self, image: Prediction) -> dict[str, np.ndarray]:
        """Returns weighted pixels "found" and "missed" (float64) and "false" (int64) [objects]."""
        prediction, label = image.prediction, image.label
        numbers = given(image.instances, "instances").astype(np.intp)
        sizes = np.bincount(numbers.reshape(-1))
        objects = np.flatnonzero(sizes)
        wrong = (prediction != label) & (label != IGNORE_LABEL)
        false = count_ids(prediction[wrong], len(self.classes))
        found, missed = np.zeros(len(OBJECTS)), np.zeros(len(OBJECTS))
        for i, (name, (label_id, average)) in enumerate(OBJECTS.items()):
            of_class = objects[objects // _PER_LABEL == label_id]
            predicted = numbers[prediction == self.classes.index(name)]
            hits = np.bincount(predicted, minlength=sizes.size)[of_class]
            weight = average / sizes[of_class]
            found[i] = (hits * weight).sum()
            missed[i] = ((sizes[of_class] - hits) * weight).sum()
        columns = [self.classes.index(name) for name in OBJECTS]
        return {"found": found, "missed": missed, "false": false[columns]}

    def score(self, counters: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Returns "iiou/<class>" of OBJECTS, NaN where there is none, and "iiou", their mean."""
        found = counters["found"]
        iou = divide(found, found + counters["missed"] + counters["false"])
        return by_class("iiou", iou, tuple(OBJECTS))
