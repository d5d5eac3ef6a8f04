"""How images become predictions that are counted: the protocol that a number belongs to.

Figures of the same network differ by a point and more between published protocols
(docs/protocols.md lists them), so a table that does not state them compares nothing.
"""

import dataclasses
from typing import Any

WINDOWS = ("whole", "pad", "center_crop", "sliding", "overlap_tile")


@dataclasses.dataclass(frozen=True)
class Protocol:
    """An evaluation protocol; fields as in config.evaluate.

    Every view of an image (a scale, a flip, a rotation) goes through the network. The logits of
    sliding windows are averaged where they overlap. The logits of a view are turned back and
    resampled bilinearly to the label; where there are several views, their probabilities
    after the softmax are averaged with equal weights. The class of the highest is counted.

    Attributes:
        resize: rule by which an image is resized first: "native", "short", "long", "fit" or
            "fixed"; docs/augmentation.md has them.
        base_size: size that the rule takes.
        labels: "native" counts at the label's own size; "resized" resizes it like the image.
        window: "whole"; "pad" (below and to the right); "center_crop" (of
            image and label); "sliding"; "overlap_tile" (U-Net: of every tile the centre is
            kept, and the image is continued by mirroring).
        window_size: (height, width) of the window; () for "whole". Scales scale the size that
            "pad" and "center_crop" have, not that of the two others.
        window_stride: (height, width) of the step between windows; for "overlap_tile" the size
            of the centre.
        scales: factors of the size.
        flip: adds every view mirrored left and right.
        rotations: adds the eight symmetries of the square instead.
        output_stride: of the network, 0 for that of its training.

    Raises:
        ValueError: two fields contradict each other.
    """

    resize: str = "native"
    base_size: tuple[int, ...] = ()
    labels: str = "native"
    window: str = "whole"
    window_size: tuple[int, ...] = ()
    window_stride: tuple[int, ...] = ()
    scales: tuple[float, ...] = (1.0,)
    flip: bool = False
    rotations: bool = False
    output_stride: int = 0

    def __post_init__(self):
        if self.window not in WINDOWS:
            raise ValueError(
                f"config.evaluate.window={self.window!r} is not one of {', '.join(WINDOWS)}."
            )
        if self.window == "center_crop" and self.resize != "native" and self.labels == "native":
            raise ValueError(
                f"config.evaluate.window='center_crop' crops image and label alike, and "
                f"config.evaluate.resize={self.resize!r} leaves labels at their native size. Set "
                f"config.evaluate.labels to 'resized'."
            )

    @property
    def symmetries(self) -> tuple[int, ...]:
        """Codes of the symmetries that every view is seen in, see `symmetry`."""
        if self.rotations:
            return tuple(range(8))
        return (0, 1) if self.flip else (0,)

    @property
    def num_views(self) -> int:
        """How often the network sees an image, tiles not counted."""
        return len(self.scales) * len(self.symmetries)

    @property
    def margin(self) -> tuple[int, int]:
        """How much of a tile lies above and left of what is kept of it."""
        if self.window != "overlap_tile":
            return 0, 0
        size, stride = self.window_size, self.window_stride
        return (size[0] - stride[0]) // 2, (size[1] - stride[1]) // 2

    @property
    def kept(self) -> tuple[int, ...]:
        """(height, width) of what is kept of a tile; () where the network sees whole views."""
        if self.window == "overlap_tile":
            return self.window_stride
        return self.window_size if self.window == "sliding" else ()

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON has them."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }

    def describe(self) -> str:
        """Says in one line, for tables, how images were evaluated.

        >>> Protocol(window="pad", window_size=(513, 513)).describe()
        'padded to 513x513, native size'
        """
        parts = [_window(self), _resize(self)]
        if self.scales != (1.0,):
            parts.append(_scales(self.scales))
        if self.rotations:
            parts.append("flips and rotations")
        elif self.flip:
            parts.append("flips")
        text = ", ".join(parts)
        if self.output_stride:
            text += f", output stride {self.output_stride}"
        if self.resize != "native":
            text += f"; labels {'resized, too' if self.labels == 'resized' else 'at native size'}"
        return text


def _window(protocol: Protocol) -> str:
    if protocol.window == "whole":
        return "whole image"
    size = _times(protocol.window_size)
    if protocol.window == "pad":
        return f"padded to {size}"
    if protocol.window == "center_crop":
        return f"{size} centre crop"
    # (342, 342) is said once.
    stride = dict.fromkeys(protocol.window_stride)
    step = "x".join(map(str, stride if len(stride) == 1 else protocol.window_stride))
    if protocol.window == "sliding":
        return f"sliding {size} windows with stride {step}"
    return f"overlap-tiles of {size} with {_times(protocol.window_stride)} kept, mirrored border"


def _resize(protocol: Protocol) -> str:
    size = _times(protocol.base_size)
    return {
        "native": "native size",
        "short": f"short side {size}",
        "long": f"long side {size}",
        "fit": f"fitted into {size}",
        "fixed": f"resized to {size}",
    }[protocol.resize]


def _scales(scales: tuple[float, ...]) -> str:
    if len(scales) == 1:
        return f"scale {scales[0]:g}"
    return f"{len(scales)} scales {min(scales):g}-{max(scales):g}"


def _times(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size))
