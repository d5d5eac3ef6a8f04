"""Images that occur more than once, told by the hash of their bytes.

Copies that were re-encoded, resized or cropped, and neighbours in a video, have other bytes:
they are not found.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

Place = tuple[str, int]
"""(split, position)."""


def within(split: str, images: Sequence[str]) -> list[list[Place]]:
    """Returns the places of every image that occurs more than once in a split."""
    return [places for places in _places({split: images}).values() if len(places) > 1]


def between(
    first: str, first_images: Sequence[str], second: str, second_images: Sequence[str]
) -> list[list[Place]]:
    """Returns the places of every image that occurs in both of two splits."""
    found = _places({first: first_images, second: second_images}).values()
    return [places for places in found if len({split for split, _ in places}) > 1]


def _places(splits: Mapping[str, Sequence[str]]) -> dict[str, list[Place]]:
    places: dict[str, list[Place]] = defaultdict(list)
    for split, images in splits.items():
        for position, image in enumerate(images):
            if image:  # a faulty example has none
                places[image].append((split, position))
    return places
