"""The size to which a training image is resized before it is cropped, by recipe.

`native` is DeepLab's (arXiv:1606.00915, section 4.1; steps as in its TensorFlow code),
`short` that of torchvision's segmentation references, `long` that of PyTorch-Encoding and
FastFCN, `fit` and `fixed` mmsegmentation's RandomResize with and without its aspect kept.
Where a recipe truncates or rounds, so does its rule here, so that the sizes are the same to
the pixel.
"""

import dataclasses
import math

from seg_jax.data.augment.refuse import refusal

BASE_SIDES = {"native": 0, "short": 1, "long": 1, "fit": 2, "fixed": 2}
"""Resize rule -> how many numbers its base size has."""


@dataclasses.dataclass(frozen=True)
class ResizeRule:
    """Maps the size of a source and a random number to the size it is resized to.

    Attributes:
        resize: `native`: both sides times the scale, rounded. `short` or `long`: that side
            becomes base size times scale, the other follows; without steps every whole number
            of pixels between the two extremes is as likely. `fit`: as large as fits into the
            base size times the scale, longer side along longer side. `fixed`: the base size
            times the scale, whatever the aspect was.
        base_size: () for `native`, (pixels,) for `short` and `long`, (height, width) for
            `fit`, where their order does not matter, and `fixed`.
        scale_range: lowest and highest scale.
        scale_step: 0 draws any scale of the range; otherwise one of lowest, lowest + step, ...,
            highest.

    Raises:
        ValueError: a field is out of range, or two of them contradict each other.
    """

    resize: str = "native"
    base_size: tuple[int, ...] = ()
    scale_range: tuple[float, float] = (1.0, 1.0)
    scale_step: float = 0.0

    def __post_init__(self):
        if self.resize not in BASE_SIDES:
            raise refusal("resize", self.resize, f"one of {', '.join(BASE_SIDES)}")
        sides = BASE_SIDES[self.resize]
        if len(self.base_size) != sides or min(self.base_size, default=1) < 1:
            allowed = ["()", "(pixels,)", "(height, width) in pixels"][sides]
            raise refusal("base_size", self.base_size, f"{allowed} for resize={self.resize!r}")
        low, high = self.scale_range
        if not 0 < low <= high:
            raise refusal("scale_range", self.scale_range, "(low, high) with 0 < low <= high")
        steps = (high - low) / self.scale_step if self.scale_step else 0.0
        if self.scale_step < 0 or not math.isclose(steps, round(steps)):
            raise refusal(
                "scale_step", self.scale_step, f"0 or divide scale_range={self.scale_range} evenly"
            )

    def __call__(self, size: tuple[int, int], draw: float) -> tuple[int, int]:
        """Returns the (height, width) for a source of `size` and a draw from [0, 1)."""
        if self.resize in ("short", "long"):
            height, width = self._one_side(size, self._pixels(draw))
        else:
            height, width = self._both_sides(size, self._scale(draw))
        return max(1, height), max(1, width)

    def _scale(self, draw: float) -> float:
        low, high = self.scale_range
        if not self.scale_step:
            return low + (high - low) * draw
        return low + self.scale_step * int(draw * (round((high - low) / self.scale_step) + 1))

    def _pixels(self, draw: float) -> int:
        base = self.base_size[0]
        if self.scale_step:
            return int(base * self._scale(draw))
        low, high = (int(base * scale) for scale in self.scale_range)
        return low + int(draw * (high - low + 1))

    def _one_side(self, size: tuple[int, int], pixels: int) -> tuple[int, int]:
        """Sets one side; torchvision truncates the other, PyTorch-Encoding rounds it."""
        height, width = size
        offset = 0.0 if self.resize == "short" else 0.5
        # Of a square source either side is the short one, and the long one.
        if (height <= width) == (self.resize == "short"):
            return pixels, int(pixels * width / height + offset)
        return int(pixels * height / width + offset), pixels

    def _both_sides(self, size: tuple[int, int], scale: float) -> tuple[int, int]:
        height, width = size
        if self.resize == "native":
            return round(height * scale), round(width * scale)
        first, second = (int(side * scale) for side in self.base_size)
        if self.resize == "fixed":
            return first, second
        # mmcv.rescale_size: the box is turned the way the image lies.
        factor = min(max(first, second) / max(size), min(first, second) / min(size))
        return int(height * factor + 0.5), int(width * factor + 0.5)
