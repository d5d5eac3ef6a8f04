"""Findings about images that occur more than once."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence

from seg_jax.data.doctor import duplicates
from seg_jax.data.doctor.examined import Examined
from seg_jax.data.doctor.finding import NAMES, Finding, counted


def repeated_images(examined: Mapping[str, Examined]) -> Iterator[Finding]:
    """Yields the images that a split holds more than once."""
    for split, one in examined.items():
        if places := duplicates.within(split, one.facts.images):
            yield Finding(
                "warning",
                "duplicates within",
                split,
                f"It repeats {counted(len(places), 'image')}: {_pairs(examined, places)}.",
                "Remove the copies: each counts twice.",
                examples=tuple(_all_pairs(examined, places)),
            )


def shared_images(examined: Mapping[str, Examined], training: Collection[str]) -> Iterator[Finding]:
    """Yields the images that a split for training shares with one for evaluation.

    Splits of one kind may share images: VOC's train is a part of its trainaug.
    """
    for first, second in itertools.combinations(examined, 2):
        if (first in training) != (second in training):
            yield from _overlap(examined, first, second)


def _overlap(examined: Mapping[str, Examined], first: str, second: str) -> Iterator[Finding]:
    images = [examined[split].facts.images for split in (first, second)]
    places = duplicates.between(first, images[0], second, images[1])
    if not places:
        return
    yield Finding(
        "fault",
        "duplicates between",
        f"{first}, {second}",
        f"They share {counted(len(places), 'image')}: {_pairs(examined, places)}.",
        "Take them out of one of the two: a score on seen images says nothing.",
        examples=tuple(_all_pairs(examined, places)),
    )


def _all_pairs(
    examined: Mapping[str, Examined], places: Sequence[list[duplicates.Place]]
) -> Iterator[str]:
    for group in places:
        yield " = ".join(f"{split}/{examined[split].name_of(i)}" for split, i in group)


def _pairs(examined: Mapping[str, Examined], places: Sequence[list[duplicates.Place]]) -> str:
    names = [*_all_pairs(examined, places[:NAMES])]
    more = f" and {len(places) - NAMES:,} more" if len(places) > NAMES else ""
    return ", ".join(names) + more
