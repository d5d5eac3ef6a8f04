"""Rotation and elastic deformation, in one resampling with the scale, the crop and the flips.

A point of the crop is followed back through deformation, rotation, flips and window to
where it lies in the source, so that pixels are interpolated once and corners that turn into
view show what the source has there.

The deformation is U-Net's (arXiv:1505.04597, section 3.1): displacements of a coarse grid,
between whose points every pixel's is interpolated bicubically. The paper does not say how;
here it is Keys' cubic convolution (1981) over a grid whose outer points lie on the edges of
the crop.
"""

import functools
import math

import cv2
import numpy as np
from jaxtyping import Float32

from seg_jax.data.augment.crop import Window
from seg_jax.data.augment.draws import GRID
from seg_jax.data.augment.layers import Layers
from seg_jax.labels import IGNORE_LABEL


def source_points(
    size: tuple[int, int],
    window: Window,
    mirrored: tuple[bool, bool],
    angle: float,
    vectors: Float32[np.ndarray, "2 3 3"],
) -> Float32[np.ndarray, "2 h w"]:
    """Returns where each pixel of the crop lies in the source, as (row, column).

    Args:
        size: (height, width) of the crop.
        window: what the crop shows before it is deformed and turned.
        mirrored: whether (rows, columns) of the window run backwards.
        angle: degrees by which the picture turns about the crop's centre, clockwise.
        vectors: vertical and horizontal displacement of the grid, in pixels of the crop.

    Returns:
        Coordinates in which whole numbers are centres of pixels.
    """
    # Every term of a coordinate is something of its row times something of its column, so
    # that two small products make the map: ten times cheaper than sums of whole maps.
    terms = np.zeros((2, GRID + 2, GRID + 2))
    terms[:, :GRID, :GRID] = vectors
    terms[0, GRID, GRID + 1] = terms[1, GRID + 1, GRID] = 1
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    terms = np.einsum("ij,jyx->iyx", [[cos, -sin], [sin, cos]], terms)
    for axis, (span, backwards) in enumerate(zip(window, mirrored, strict=True)):
        step = (span.last - span.first) / span.shown
        start, step = (span.last, -step) if backwards else (span.first, step)
        terms[axis] *= step
        # From the crop's centre to its edge, and from a pixel's edge to its centre.
        terms[axis, GRID + 1, GRID + 1] += start + size[axis] / 2 * step - 0.5
    # Not `@`: BLAS would start threads of its own in every thread of the pipeline.
    rows = np.einsum("yk,ikl->iyl", _basis(size[0]), terms.astype(np.float32))
    return np.einsum("iyl,lx->iyx", rows, np.ascontiguousarray(_basis(size[1]).T))


@functools.cache
def _basis(length: int) -> Float32[np.ndarray, "length 5"]:
    """Returns for each pixel the weights of the grid, its distance from the centre, and 1."""
    pixels = np.arange(length) + 0.5
    weights = np.zeros((length, GRID))
    for row, place in enumerate(pixels / length * (GRID - 1)):
        for point in range(math.floor(place) - 1, math.floor(place) + 3):
            # Beyond the grid its outer points are repeated.
            weights[row, min(max(point, 0), GRID - 1)] += _keys_kernel(abs(place - point))
    columns = np.column_stack([weights, pixels - length / 2, np.ones(length)])
    return columns.astype(np.float32)


def _keys_kernel(distance: float) -> float:
    if distance <= 1:
        return 1.5 * distance**3 - 2.5 * distance**2 + 1
    return -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2


def resample(
    layers: Layers, points: Float32[np.ndarray, "2 h2 w2"], color: tuple[int, int, int]
) -> Layers:
    """Samples image and border bilinearly and the label by nearest neighbour.

    Points outside the source become `color`, no weight and IGNORE_LABEL.
    """
    rows, columns = points
    edge = cv2.BORDER_REPLICATE
    image = cv2.remap(layers.image, columns, rows, cv2.INTER_LINEAR, borderMode=edge)
    label = cv2.remap(layers.label, columns, rows, cv2.INTER_NEAREST, borderMode=edge)
    border = layers.border
    if border is not None:
        border = cv2.remap(border, columns, rows, cv2.INTER_LINEAR, borderMode=edge)
    height, width = layers.label.shape
    inside = (rows >= -0.5) & (rows <= height - 0.5) & (columns >= -0.5) & (columns <= width - 0.5)
    if not inside.all():
        image[~inside] = color
        label[~inside] = IGNORE_LABEL
        if border is not None:
            border[~inside] = 0
    return Layers(image, label, border)
