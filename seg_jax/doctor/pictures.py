"""Chooses examples to look at and paints their labels over them.

The choice is the same on every run: some spread evenly over a split, and those with the most
pixels of its rarest classes.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import cv2
import numpy as np
from jaxtyping import UInt8

from seg_jax.data.doctor.examined import Examined
from seg_jax.data.doctor.facts import SplitFacts
from seg_jax.data.example import Example
from seg_jax.data.spec import DatasetSpec
from seg_jax.labels import IGNORE_LABEL
from seg_jax.predict.overlay import UNPAINTED
from seg_jax.report.pictures import colourize, fit

SPREAD = 4
"""Examples of a split that are spread over it."""

RARE = 2
"""Examples of a split that show its rarest classes."""

MOST_SPLITS = 3
"""Splits that are shown."""

_OPACITY = 0.55


@dataclasses.dataclass(frozen=True)
class Shown:
    """An example on the contact sheet.

    Attributes:
        split: its split.
        id: its name.
        why: why it was chosen, a few words.
        size: height and width as stored.
        image: RGB, at a size fit for a page.
        overlay: the same with its classes painted over it, ignored pixels as stripes.
        classes: ids of the classes in it, the most frequent first.
        ignored: share of its pixels that are ignored.
    """

    split: str
    id: str
    why: str
    size: tuple[int, int]
    image: UInt8[np.ndarray, "h w 3"]
    overlay: UInt8[np.ndarray, "h w 3"]
    classes: tuple[int, ...]
    ignored: float


def show_examples(spec: DatasetSpec, examined: Mapping[str, Examined]) -> list[Shown]:
    """Returns the chosen examples of the first splits, in their order."""
    shown = []
    for split, one in list(examined.items())[:MOST_SPLITS]:
        for position, why in choose(spec, one.facts):
            try:
                example = one.load(position)
            except (ValueError, RuntimeError, OSError):
                continue  # a finding says so already, or nobody decoded it
            shown.append(_show(spec, split, example, why))
    return shown


def choose(spec: DatasetSpec, facts: SplitFacts) -> list[tuple[int, str]]:
    """Returns (position, why) of the examples of a split to look at."""
    usable = [position for position, image in enumerate(facts.images) if image]
    count = min(SPREAD, len(usable))
    chosen = {usable[i * len(usable) // count]: "" for i in range(count)}
    for k in _rarest(facts):
        if len(chosen) == count + RARE:
            break
        position = facts.richest[k]
        if position is not None and position not in chosen:
            chosen[position] = f"most of {spec.classes[k]}"
    return list(chosen.items())


def _rarest(facts: SplitFacts) -> Iterator[int]:
    """Yields the classes that occur, those in the fewest images first, then of fewest pixels."""
    if not facts.richest:
        return
    by_images = sorted(
        range(len(facts.present) - 1), key=lambda k: (facts.present[k], facts.pixels[k])
    )
    yield from (k for k in by_images if facts.present[k])


def _show(spec: DatasetSpec, split: str, example: Example, why: str) -> Shown:
    label = example["label"]
    counts = np.bincount(label.ravel(), minlength=256)
    order = np.argsort(-counts[: spec.num_classes], kind="stable").tolist()
    return Shown(
        split=split,
        id=example["id"],
        why=why,
        size=(label.shape[0], label.shape[1]),
        image=fit(example["image"]),
        overlay=paint(example["image"], label, spec),
        classes=tuple(k for k in order if counts[k]),
        ignored=float(counts[IGNORE_LABEL] / label.size),
    )


def paint(
    image: UInt8[np.ndarray, "h w 3"], label: UInt8[np.ndarray, "h w"], spec: DatasetSpec
) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Returns the image with its classes in their colours over it, at a size fit for a page.

    Borders between classes are drawn in full colour, ignored pixels as stripes. The class
    "background" keeps the colours of the image.
    """
    below, colours, large = fit(image), colourize(label, spec.palette), fit(label, nearest=True)
    opacity = np.full(large.shape, _OPACITY, np.float32)
    square = np.ones((3, 3), np.uint8)
    opacity[cv2.dilate(large, square) != cv2.erode(large, square)] = 1.0
    if UNPAINTED in spec.classes:
        opacity[large == spec.classes.index(UNPAINTED)] = 0.0
    mixed = below + opacity[..., None] * (colours.astype(np.float32) - below)
    return np.rint(mixed).astype(np.uint8)


def classes_of(shown: Sequence[Shown]) -> list[int]:
    """Returns the ids of all classes in the shown examples, ascending."""
    return sorted({k for one in shown for k in one.classes})
