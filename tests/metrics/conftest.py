"""Pictures to score, and the sum of a metric's counters over them."""

import numpy as np
import pytest

from seg_jax.labels import IGNORE_LABEL
from seg_jax.metrics.metric import Prediction

CLASSES = ("sky", "road", "tree", "car")


@pytest.fixture
def classes():
    """Returns the names of four classes."""
    return CLASSES


@pytest.fixture
def draw():
    """Returns a function (seed, size) -> Prediction of blocky maps with ignored pixels."""

    def blocks(random, size):
        height, width = size
        coarse = random.randint(0, len(CLASSES), (height // 5 + 1, width // 5 + 1))
        return np.kron(coarse, np.ones((5, 5), int))[:height, :width].astype(np.uint8)

    def draw(seed, size=(23, 31)):
        random = np.random.RandomState(seed)
        label = blocks(random, size)
        prediction = np.where(random.rand(*size) < 0.1, blocks(random, size), np.roll(label, 1, 1))
        label[random.rand(*size) < 0.04] = IGNORE_LABEL
        probabilities = random.dirichlet(np.ones(len(CLASSES)), size).astype(np.float32)
        return Prediction(prediction.astype(np.uint8), label, probabilities)

    return draw


@pytest.fixture
def total():
    """Returns a function (metric, images) -> counters summed over the images."""

    def total(metric, images):
        counters = [metric.count(image) for image in images]
        return {key: np.sum([c[key] for c in counters], axis=0) for key in counters[0]}

    return total
