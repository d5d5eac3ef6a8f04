"""Pairs images with their labels, and deals the pairs to splits."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from seg_jax.data.folder.description import FIELD, Description
from seg_jax.data.folder.files import Found, Named
from seg_jax.data.folder.pattern import Pattern, without_ending
from seg_jax.data.folder.rules import read_list, share_of

Key = tuple[str, str]
"""(split, id) of an image; the split is empty where no {split} says it."""


def images_by_key(found: Found) -> dict[Key, Named]:
    """Returns the images by what pairs them.

    Raises:
        ValueError: two images would be one example.
    """
    images: dict[Key, Named] = {}
    for file in found.images:
        key = file.match.split, file.match.id
        if key in images:
            raise ValueError(
                f"{images[key].name} and {file.name} have the same id, {key[1]!r}, which is what "
                f"the stars of {FIELD}.images stand for. Rename one of them, narrow the pattern, "
                "or put a star where the two differ."
            )
        images[key] = file
    return images


def labels_by_key(found: Found, *, several: bool) -> dict[Key, tuple[Named, ...]]:
    """Returns the labels by what pairs them.

    Args:
        found: the files.
        several: whether an image has a label a class.

    Raises:
        ValueError: an image has several labels where it has to have one.
    """
    labels: dict[Key, tuple[Named, ...]] = {}
    for file in found.labels:
        key = file.match.split, file.match.id
        before = labels.get(key, ())
        rivals = [other for other in before if other.match.class_ == file.match.class_]
        if rivals or (before and not several):
            raise ValueError(
                f"{before[-1].name} and {file.name} are both the label of {key[1]!r}. Remove one "
                f"or narrow {FIELD}.labels."
            )
        labels[key] = (*before, file)
    return labels


def deal(description: Description, images: Mapping[Key, Named], root: Path) -> dict[str, list[Key]]:
    """Returns the keys of the images of every split, by name, those of a list in its order.

    Raises:
        ValueError: a split is empty, or an image is in two.
    """
    rules = description.splits
    members: dict[str, list[Key]] = {split: [] for split in rules.names}
    known = _ways_to_name(images) if rules.lists else {}
    for split, name in rules.lists.items():
        text = (root / name).read_text(encoding="utf-8-sig")
        members[split] = [("", id) for id in read_list(text, split, known)]
    listed = {key for keys in members.values() for key in keys}
    # A star of a split's pattern reaches into folders, as `train/*` is meant to.
    patterns = {s: Pattern(re.sub(r"\*+", "**", t)) for s, t in rules.patterns.items()}
    for key, file in images.items():
        if rules.by_folder:
            members[key[0]].append(key)
        elif key not in listed:
            claims = [split for split, pattern in patterns.items() if pattern.match(file.name)]
            if claims or rules.shares:
                for split in claims or [share_of(key[1], rules.shares)]:
                    members[split].append(key)
    _check(members, description, len(images))
    return members


def _ways_to_name(images: Mapping[Key, Named]) -> dict[str, list[str]]:
    """Returns every way in which a list may name an image -> the ids it may mean."""
    ways: dict[str, list[str]] = {}
    for (_, id), file in images.items():
        path = PurePosixPath(file.name)
        bare = without_ending(file.name)
        for way in {id, file.name, bare, path.name, PurePosixPath(bare).name}:
            ways.setdefault(way, []).append(id)
    # An id means itself, even where it is the file name of another image too.
    return ways | {id: [id] for _, id in images}


def _check(members: Mapping[str, Sequence[Key]], description: Description, count: int) -> None:
    owner: dict[Key, str] = {}
    for split, keys in members.items():
        if not keys:
            raise ValueError(
                f"{FIELD}.splits gives {split!r} none of the {count} images. "
                + (
                    "Shares say where each goes by its name, so a small set may leave one out: "
                    "name the images in lists such as 'lists/val.txt', or change the shares."
                    if split in description.splits.shares
                    else "Correct what it is mapped to, or leave it out."
                )
            )
        for key in keys:
            if owner.setdefault(key, split) != split:
                raise ValueError(
                    f"{FIELD}.splits puts image {key[1]!r} into both {owner[key]!r} and "
                    f"{split!r}; a score on images that were trained on says nothing. Correct "
                    "the lists or patterns."
                )


def check_pairs(
    used: Iterable[Key],
    images: Mapping[Key, Named],
    labels: Iterable[Key],
    description: Description,
) -> None:
    """Refuses images without labels and, where every image is used, labels without images.

    Raises:
        ValueError: a partner is missing; the message names the first three and counts them.
    """
    used, labelled = set(used), set(labels)
    alone = sorted(used - labelled)
    if alone:
        raise ValueError(
            f"{len(alone)} of {len(used)} images have no label: "
            f"{_first(images[key].name for key in alone)}. {FIELD}.labels="
            f"{description.labels!r} has none for the id {alone[0][1]!r}. Add the labels, take "
            f"these images away, or leave them out by lists in {FIELD}.splits."
        )
    orphans = sorted(labelled - set(images)) if used == set(images) else []
    if orphans:
        raise ValueError(
            f"{len(orphans)} of {len(labelled)} labels have no image: "
            f"{_first(key[1] for key in orphans)}. {FIELD}.images="
            f"{' or '.join(description.images)!r} finds none of these ids. Add the images or take "
            "the labels away."
        )


def _first(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")
