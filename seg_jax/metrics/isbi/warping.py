"""Warps a label towards a prediction without changing its topology (Jain et al. 2010).

"Boundary learning by optimization with topological constraints" (CVPR 2010), section 3: a
pixel of the label that disagrees with the prediction is flipped where it is simple, that is,
where the flip joins or parts no cells or membranes. What cannot be flipped are the topological
errors. The order of flips is that of the class WarpingError in
https://github.com/fiji/Trainable_Segmentation: sweeps from the pixels whose probability is
furthest from the threshold to the nearest, ties by columns, until a sweep flips none. Like the
challenge's script, it lets a label move as far as it can.
"""

import heapq

import numpy as np
from jaxtyping import Bool, Float


def _is_simple(ring: int) -> bool:
    """Tells whether a pixel is simple, given its 8 neighbours clockwise from the top, as bits.

    Cells are 4-connected and membranes 8-connected. Yokoi's connectivity number, the times
    that the ring steps into a cell, is 1.
    """
    x = [ring >> i & 1 for i in range(8)]
    return sum(x[i] - x[i] * x[i + 1] * x[(i + 2) % 8] for i in (0, 2, 4, 6)) == 1


_SIMPLE = tuple(_is_simple(ring) for ring in range(256))


def warp(
    label: Bool[np.ndarray, "h w"], probability: Float[np.ndarray, "h w"], threshold: float
) -> Bool[np.ndarray, "h w"]:
    """Returns the label, true in cells, warped towards where `probability` exceeds `threshold`.

    Outside the image there are membranes.
    """
    source = np.pad(label.T, 1)
    distance = np.pad(np.abs(probability - threshold).T.astype(np.float32), 1)
    wrong = np.flatnonzero(source != np.pad((probability > threshold).T, 1))
    order = wrong[np.argsort(-distance.reshape(-1)[wrong], kind="stable")]
    pixels = bytearray(source.astype(np.uint8).tobytes())
    _relax(pixels, source.shape[1], order.tolist())
    warped = np.frombuffer(pixels, np.uint8).reshape(source.shape)
    return warped[1:-1, 1:-1].T > 0


def _relax(pixels: bytearray, stride: int, order: list[int]) -> None:
    """Flips simple pixels, in sweeps through `order`, until none of these is simple.

    A sweep need not look at every pixel: one that is not simple becomes so by the flip of a
    neighbour alone, and is then due later in the same sweep or in the next.
    """
    ring = (-1, stride - 1, stride, stride + 1, 1, 1 - stride, -stride, -stride - 1)

    def simple(pixel: int) -> bool:
        return _SIMPLE[sum(pixels[pixel + step] << bit for bit, step in enumerate(ring))]

    rank = {pixel: place for place, pixel in enumerate(order)}
    due = [place for place, pixel in enumerate(order) if simple(pixel)]
    while due:
        later: set[int] = set()
        while due:
            place = heapq.heappop(due)
            pixel = order[place]
            if pixel not in rank or not simple(pixel):
                continue
            pixels[pixel] ^= 1
            del rank[pixel]
            for step in ring:
                other = rank.get(pixel + step)
                if other is None:
                    continue
                if other < place:
                    later.add(other)
                elif simple(order[other]):
                    heapq.heappush(due, other)
        due = sorted(later)
