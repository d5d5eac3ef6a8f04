"""Two images for every loss: one partly ignored, one that lacks a class."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.labels import IGNORE_LABEL


@pytest.fixture(scope="session")
def case():
    """The images, and for loops what each pixel that counts has.

    Attributes:
        logits, labels: [2, 5, 7, 4] and [2, 5, 7]; the expected values in the tests rely on them.
        weights: 1 where a pixel counts.
        varied: other weights where it counts.
        shares: softmax of the logits in float64.
        pixels: indices of the pixels that count.
        truth, worth: label and varied weight by index.
    """
    random = np.random.RandomState(0)
    logits = (random.randn(2, 5, 7, 4) * 2).astype(np.float32)
    labels = random.randint(0, 4, (2, 5, 7)).astype(np.uint8)
    labels[0, :2] = IGNORE_LABEL
    labels[1][labels[1] == 3] = 0
    weights = (labels != IGNORE_LABEL).astype(np.float32)
    some = np.random.RandomState(1).choice([0.5, 1.0, 4.0], labels.shape).astype(np.float32)
    shares = np.exp(logits.astype(np.float64))
    shares /= shares.sum(-1, keepdims=True)
    pixels = [tuple(index) for index in np.argwhere(labels != IGNORE_LABEL).tolist()]
    return SimpleNamespace(
        logits=jnp.asarray(logits),
        labels=jnp.asarray(labels),
        weights=jnp.asarray(weights),
        varied=jnp.asarray(weights * some),
        shares=shares,
        pixels=pixels,
        truth={pixel: int(labels[pixel]) for pixel in pixels},
        worth={pixel: float(some[pixel]) for pixel in pixels},
    )
