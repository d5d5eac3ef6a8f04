"""The random numbers of one example, all drawn at once, whatever the config uses.

Every draw is made whatever the fields say: turning an operation on or off leaves the
others alone, so that two configs differ in nothing but the operation. A new operation
draws after those that are here.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32

GRID = 3
"""Elastic deformation displaces a grid of 3 x 3 points (arXiv:1505.04597, section 3.1)."""

MAX_REDRAWS = 10
"""How often a crop that one class fills is drawn again, as in mmsegmentation."""


class Draws(NamedTuple):
    """The draws of one example; uniform in [0, 1) unless said otherwise.

    Attributes:
        scale: decides the size.
        mirror: left and right are exchanged below 1/2.
        positions: of the crop, as (vertical, horizontal): the first one, and those after it
            in case one class fills it.
        overturn: top and bottom are exchanged below 1/2.
        angle: of the rotation, uniform in [-1, 1).
        blur: the image is blurred below the probability.
        sigma: decides the width of the blur.
        vectors: vertical and horizontal displacement at each point of the grid, standard
            normal.
    """

    scale: float
    mirror: float
    positions: Float[np.ndarray, "n 2"]
    overturn: float
    angle: float
    blur: float
    sigma: float
    vectors: Float32[np.ndarray, "2 3 3"]


def draw(rng: np.random.Generator) -> Draws:
    """Draws everything for one example."""
    numbers = rng.random(8 + 2 * MAX_REDRAWS).tolist()
    scale, vertical, horizontal, mirror, overturn, angle, blur, sigma, *redraws = numbers
    return Draws(
        scale=scale,
        mirror=mirror,
        positions=np.array([vertical, horizontal, *redraws]).reshape(-1, 2),
        overturn=overturn,
        angle=2 * angle - 1,
        blur=blur,
        sigma=sigma,
        vectors=rng.standard_normal((2, GRID, GRID), np.float32),
    )
