"""The boundary band against a plain search of each pixel's neighbourhood."""

import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.labels import IGNORE_LABEL
from seg_jax.metrics.boundary import boundary_band, restrict_to_band


def naive_band(label, width):
    band = np.zeros(label.shape, bool)
    for y, x in np.ndindex(label.shape):
        near = label[max(y - width, 0) : y + width + 1, max(x - width, 0) : x + width + 1]
        near = near[near != IGNORE_LABEL]
        band[y, x] = label[y, x] != IGNORE_LABEL and (near != label[y, x]).any()
    return band


@pytest.mark.parametrize("width", [1, 2, 5])
def test_band_is_where_another_class_is_near(width):
    random = np.random.RandomState(width)
    label = np.repeat(np.repeat(random.randint(0, 3, (3, 4)), 6, 0), 5, 1).astype(np.uint8)
    label[random.rand(*label.shape) < 0.1] = IGNORE_LABEL
    band = boundary_band(jnp.asarray(label[None]), width)[0]
    np.testing.assert_array_equal(band, naive_band(label, width))


def test_outside_the_band_nothing_counts():
    label = jnp.zeros((1, 4, 9), jnp.uint8).at[:, :, 4:].set(1)
    restricted = restrict_to_band(label, 1)
    np.testing.assert_array_equal(restricted[0, 0], [255, 255, 255, 0, 1, 255, 255, 255, 255])
