"""Names lines and points right where they are, without covering data or each other."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

FONT_POINTS = 8.5
_LINE_POINTS = 1.25 * FONT_POINTS
_CHARACTER_POINTS = 0.62 * FONT_POINTS


def wrap(label: str) -> str:
    """Breaks a long label into lines."""
    return textwrap.fill(label, 24) or label


def spread(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Moves centres apart until boxes of these heights do not overlap, keeping their order.

    Args:
        wanted: centres, where the boxes would be alone in the world.
        heights: full heights in the same unit.

    Returns:
        New centres in the order of `wanted`; boxes that overlapped are shifted about their
        common mean.
    """
    order = np.argsort(np.asarray(wanted), kind="stable")
    groups: list[tuple[list[int], float]] = []  # (members from the bottom up, centre of all)
    for index in order:
        groups.append(([int(index)], float(wanted[index])))
        while len(groups) > 1:
            (lower, low), (upper, high) = groups[-2:]
            below, above = (sum(heights[i] for i in part) for part in (lower, upper))
            if high - above / 2 >= low + below / 2:
                break
            centre = (low * len(lower) + high * len(upper)) / (len(lower) + len(upper))
            groups[-2:] = [(lower + upper, centre)]
    centres = [0.0] * len(wanted)
    for members, centre in groups:
        edge = centre - sum(heights[i] for i in members) / 2
        for i in members:
            centres[i] = edge + heights[i] / 2
            edge += heights[i]
    return centres


def at_line_ends(ax: Axes, ends: Sequence[tuple[str, float, str]], *, axes_height: float) -> None:
    """Writes each label right of the axes, at the height of its line's end.

    Args:
        ax: with final limits and a linear y axis.
        ends: (label, y of the line's last point, colour) per line.
        axes_height: of `ax`, in inches.
    """
    low, high = ax.get_ylim()
    texts = [wrap(label) for label, _, _ in ends]
    unit = 1 / (72 * axes_height)
    heights = [(text.count("\n") + 1) * _LINE_POINTS * unit for text in texts]
    wanted = [(y - low) / (high - low) for _, y, _ in ends]
    for text, (_, _, colour), target, centre in zip(
        texts, ends, wanted, spread(wanted, heights), strict=True
    ):
        ax.plot(
            [1.005, 1.03],
            [target, centre],
            color=colour,
            linewidth=0.8,
            transform=ax.transAxes,
            clip_on=False,
        )
        ax.text(
            1.04,
            centre,
            text,
            color=colour,
            fontsize=FONT_POINTS,
            verticalalignment="center",
            transform=ax.transAxes,
        )


def beside_points(
    ax: Axes,
    points: Sequence[tuple[str, float, float, str]],
    *,
    axes_size: tuple[float, float],
) -> None:
    """Writes each label beside its point, on the side with the most room.

    Args:
        ax: with final limits and scales.
        points: (label, x, y, colour).
        axes_size: (height, width) of `ax` in inches.
    """
    height, width = (72 * side for side in axes_size)
    ax.autoscale_view()  # limits are computed late; the transform below would not ask for them
    to_axes = ax.transData + ax.transAxes.inverted()
    places = to_axes.transform([(x, y) for _, x, y, _ in points]) * (width, height)
    taken = [(x - 4.0, y - 4.0, x + 4.0, y + 4.0) for x, y in places]
    for (label, x, y, colour), (px, py) in zip(points, places, strict=True):
        text = wrap(label)
        lines = text.split("\n")
        w, h = max(map(len, lines)) * _CHARACTER_POINTS, len(lines) * _LINE_POINTS
        sides = {  # offset of the text's anchor in points, and its alignment
            "right": ((9, 0), "left", "center"),
            "left": ((-9, 0), "right", "center"),
            "above": ((0, 9), "center", "bottom"),
            "below": ((0, -9), "center", "top"),
        }
        boxes = {
            "right": (px + 8, py - h / 2, px + 8 + w, py + h / 2),
            "left": (px - 8 - w, py - h / 2, px - 8, py + h / 2),
            "above": (px - w / 2, py + 8, px + w / 2, py + 8 + h),
            "below": (px - w / 2, py - 8 - h, px + w / 2, py - 8),
        }
        costs = {
            side: sum(_overlap(box, other) for other in taken) + _outside(box, width, height)
            for side, box in boxes.items()
        }
        best = min(costs, key=costs.__getitem__)
        offset, horizontal, vertical = sides[best]
        taken.append(boxes[best])
        ax.annotate(
            text,
            (x, y),
            xytext=offset,
            textcoords="offset points",
            color=colour,
            fontsize=FONT_POINTS,
            horizontalalignment=horizontal,
            verticalalignment=vertical,
        )


Box = tuple[float, float, float, float]


def _overlap(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height)


def _outside(box: Box, width: float, height: float) -> float:
    """Area of a box that lies outside the axes."""
    return (box[2] - box[0]) * (box[3] - box[1]) - _overlap(box, (0.0, 0.0, width, height))
