"""How an image of some size enters the network in evaluation: resized, cropped, padded, cut up.

Everything here is a function of the size alone, so that images can be grouped before any is
decoded. The window forms are those of the published evaluators (docs/protocols.md): DeepLab's
padding, mmsegmentation's sliding window, U-Net's overlap-tile (arXiv:1505.04597, figure 2).
"""

import dataclasses
import itertools
import math
from collections.abc import Iterator

import cv2
import numpy as np
from jaxtyping import UInt8

from seg_jax.data.augment.resize_rule import ResizeRule

BUCKET = 128
"""Pixels; sides that may be padded without changing a result are padded to a multiple of it."""

Size = tuple[int, int]


@dataclasses.dataclass(frozen=True)
class View:
    """One input of the network.

    Attributes:
        content: (height, width) that the image is resized to.
        image: (height, width) of the array that holds it, padding and mirrored border included.
        canvas: (height, width) of the array that its logits are laid out in, from the top left.
        rows: where tiles begin, vertically; the same in the image and on the canvas. () where
            the image is one input, and the canvas holds its logits.
        columns: the same, horizontally.
    """

    content: Size
    image: Size
    canvas: Size
    rows: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()

    @property
    def origins(self) -> Iterator[Size]:
        """Where tiles begin, row by row."""
        return itertools.product(self.rows, self.columns)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What an image of one size goes through.

    Attributes:
        label: (height, width) at which its pixels are counted.
        frame: (height, width) of the array that holds the label, the rest of it ignored.
        views: its inputs, one a scale.
        direct: whether logits lie where the labels are, and need no resampling.
    """

    label: Size
    frame: Size
    views: tuple[View, ...]
    direct: bool

    @property
    def shapes(self) -> tuple[object, ...]:
        """Equal for images that fit into one batch."""
        return self.frame, self.direct, tuple((view.image, view.canvas) for view in self.views)


@dataclasses.dataclass(frozen=True)
class Framing:
    """The part of a protocol that happens before the network; fields as in config.evaluate.

    Attributes:
        resize: see `ResizeRule`.
        base_size: see `ResizeRule`.
        labels: "native", or "resized" as the images are.
        window: "whole", "pad", "center_crop", "sliding" or "overlap_tile".
        window_size: () for "whole", else (height, width).
        window_stride: (height, width) of the step of "sliding" and "overlap_tile".
        scales: factors of the size.
        pad_color: RGB of what lies below and to the right of an image.
    """

    resize: str = "native"
    base_size: tuple[int, ...] = ()
    labels: str = "native"
    window: str = "whole"
    window_size: tuple[int, ...] = ()
    window_stride: tuple[int, ...] = ()
    scales: tuple[float, ...] = (1.0,)
    pad_color: tuple[int, int, int] = (124, 116, 104)

    def plan(self, size: Size) -> Plan:
        """Plans an image of (height, width) `size`.

        Raises:
            ValueError: `window` is "pad", and the image is larger than what it is padded to.
        """
        views = tuple(self._view(size, scale) for scale in self.scales)
        label = size if self.labels == "native" else self._resized(size, 1.0)
        if self.window == "center_crop":
            label = self.window_size[0], self.window_size[1]
        direct = len(views) == 1 and views[0].content == label
        frame = views[0].canvas if direct else (_up(label[0], BUCKET), _up(label[1], BUCKET))
        return Plan(label, frame, views, direct)

    def fit(
        self, array: np.ndarray, plan: Plan, fill: tuple[int, int, int] | int, nearest: bool
    ) -> np.ndarray:
        """Brings an array of the source to where its pixels are counted, see `Plan.label`."""
        if self.labels == "resized":
            size = (array.shape[0], array.shape[1])
            array = _resize(array, self._resized(size, 1.0), nearest=nearest)
        return _center(array, plan.label, fill) if self.window == "center_crop" else array

    def draw(
        self, image: UInt8[np.ndarray, "h w 3"], plan: Plan, view: View
    ) -> UInt8[np.ndarray, "h2 w2 3"]:
        """Returns the array of a view, `View.image` in size.

        Args:
            image: as the source has it.
            plan: of its size.
            view: one of the plan's.
        """
        if self.window == "center_crop":
            image = self.fit(image, plan, self.pad_color, nearest=False)
        image = _resize(image, view.content, nearest=False)
        below, right = (view.image[i] - view.content[i] for i in (0, 1))
        if self.window == "overlap_tile":
            top, left = margin(self.window_size, self.window_stride)
            around = (top, below - top, left, right - left)
            return cv2.copyMakeBorder(image, *around, cv2.BORDER_REFLECT_101)
        if not below and not right:
            return image
        color = self.pad_color
        return cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_CONSTANT, value=color)

    def _view(self, size: Size, scale: float) -> View:
        content = self._resized(size, scale)
        if self.window == "whole":
            return View(content, content, (_up(content[0], BUCKET), _up(content[1], BUCKET)))
        height, width = self.window_size
        if self.window in ("pad", "center_crop"):
            frame = _scaled(height, scale), _scaled(width, scale)
            if self.window == "center_crop":
                return View(frame, frame, frame)
            unscaled = self._resized(size, 1.0)
            if unscaled[0] > height or unscaled[1] > width:
                raise ValueError(
                    f"An image is {unscaled} px (height, width) after config.evaluate.resize="
                    f"{self.resize!r}, and config.evaluate.window='pad' pads to "
                    f"config.evaluate.window_size={(height, width)}. Make that larger, or set "
                    f"config.evaluate.window to 'sliding'."
                )
            # At a scale, rounding may differ by a pixel.
            content = min(content[0], frame[0]), min(content[1], frame[1])
            return View(content, frame, frame)
        if self.window == "sliding":
            sides = [
                _sliding(*side)
                for side in zip(content, self.window_size, self.window_stride, strict=True)
            ]
            canvas = sides[0][1], sides[1][1]
            return View(content, canvas, canvas, sides[0][0], sides[1][0])
        sides = [_tiles(*side) for side in zip(content, self.window_stride, strict=True)]
        canvas = sides[0][1], sides[1][1]
        border = [self.window_size[i] - self.window_stride[i] for i in (0, 1)]
        image = canvas[0] + border[0], canvas[1] + border[1]
        return View(content, image, canvas, sides[0][0], sides[1][0])

    def _resized(self, size: Size, scale: float) -> Size:
        return ResizeRule(self.resize, self.base_size, (scale, scale))(size, 0.0)


def margin(window_size: tuple[int, ...], window_stride: tuple[int, ...]) -> Size:
    """Returns how much of a tile lies above and left of the part that is kept."""
    top, left = ((window_size[i] - window_stride[i]) // 2 for i in (0, 1))
    return top, left


def _sliding(side: int, window: int, stride: int) -> tuple[tuple[int, ...], int]:
    """Where windows begin, the last one shifted back inside, and how long the canvas is."""
    side = max(side, window)
    steps = math.ceil((side - window) / stride) + 1
    canvas = window + _up(side - window, BUCKET)
    return tuple(min(step * stride, side - window) for step in range(steps)), canvas


def _tiles(side: int, stride: int) -> tuple[tuple[int, ...], int]:
    """Where the kept parts of tiles begin, one after the other, and how long the canvas is."""
    return tuple(range(0, side, stride)), _up(side, _up(BUCKET, stride))


def _scaled(side: int, scale: float) -> int:
    """Scales a window as DeepLab does: sides of the form 8 * n + 1 keep it."""
    return max(1, int((side - 1) * scale + 1))


def _up(value: int, step: int) -> int:
    return -(-value // step) * step


def _resize(array: np.ndarray, size: Size, *, nearest: bool) -> np.ndarray:
    if array.shape[:2] == size:
        return array
    how = cv2.INTER_NEAREST_EXACT if nearest else cv2.INTER_LINEAR
    return cv2.resize(array, (size[1], size[0]), interpolation=how)


def _center(array: np.ndarray, size: Size, fill: tuple[int, int, int] | int) -> np.ndarray:
    """Crops the centre; what is smaller is filled up below and to the right."""
    out = np.empty((*size, *array.shape[2:]), array.dtype)
    out[:] = fill
    top, left = (max(0, array.shape[i] - size[i]) // 2 for i in (0, 1))
    crop = array[top : top + size[0], left : left + size[1]]
    out[: crop.shape[0], : crop.shape[1]] = crop
    return out
