"""Which image belongs to which split: shares, patterns, lists, or folders of that name."""

import dataclasses
import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from seg_jax.data.folder.fields import FIELD, as_text, fault

_HEX = 12
_RESERVED = "all"
_ALLOWED = (
    "a share such as 0.8, a pattern of images such as 'train/*', a list such as "
    "'lists/train.txt', or no value where {split} stands in images and labels"
)


@dataclasses.dataclass(frozen=True)
class Splits:
    """The field splits.

    Attributes:
        names: the splits.
        by_folder: whether {split} in the patterns says who belongs to which.
        shares: split -> share of the images that nothing else claims; they sum to 1.
        patterns: split -> pattern of its images.
        lists: split -> file with the name of an image in each line.
    """

    names: tuple[str, ...]
    by_folder: bool = False
    shares: Mapping[str, float] = dataclasses.field(default_factory=dict, hash=False)
    patterns: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)
    lists: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)


def parse_splits(given: Any) -> Splits:
    """Checks the field splits.

    Raises:
        ValueError: it holds what it must not.
    """
    if isinstance(given, list | tuple) and given:
        names = tuple(_name(name) for name in given)
        if len(set(names)) < len(names):
            raise fault("splits", f"is {names}, with one name twice. Name each split once.")
        return Splits(names, by_folder=True)
    if not isinstance(given, Mapping) or not given:
        raise fault("splits", f"is {given!r}; map the name of each split to {_ALLOWED}.")
    shares, patterns, lists = {}, {}, {}
    for name, value in given.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            shares[name] = float(value)
        elif isinstance(value, str) and value.endswith(".txt"):
            lists[name] = value
        else:
            patterns[name] = as_text(f"splits[{name!r}]", value)
    if shares and (min(shares.values()) <= 0 or not math.isclose(sum(shares.values()), 1)):
        raise fault(
            "splits",
            f"has the shares {shares}: each has to be above 0, and together they have to be 1.",
        )
    return Splits(tuple(_name(name) for name in given), False, shares, patterns, lists)


def share_of(id: str, shares: Mapping[str, float]) -> str:
    """Returns the split of an image, a function of its id and the shares alone.

    Which images there are beside it has no influence: one more never moves another from train
    to val. Sizes of splits are therefore only near their shares.
    """
    digest = hashlib.sha256(id.encode()).hexdigest()
    place = int(digest[:_HEX], 16) / 16**_HEX
    reached = 0.0
    # By name: a config does not keep the order in which splits were written.
    *others, last = sorted(shares)
    for split in others:
        reached += shares[split]
        if place < reached:
            return split
    return last


def read_list(text: str, split: str, known: Mapping[str, Sequence[str]]) -> list[str]:
    """Returns the ids that a list names, in its order.

    A line is an id, or the name of an image with or without folder and ending; where it has
    several columns, the first may be that.

    Args:
        text: the content of the file.
        split: the split, for messages.
        known: name in any of those ways -> the ids that it may mean.

    Raises:
        ValueError: a line names no image, or several; or one is named twice.
    """
    ids, wrong = [], []
    for line in filter(None, map(str.strip, text.splitlines())):
        found = known.get(line) or known.get(line.split()[0]) or ()
        if len(found) == 1:
            ids.append(found[0])
        else:
            wrong.append(f"{line!r} ({'several images' if found else 'no image'})")
    if wrong:
        raise fault(
            f"splits[{split!r}]",
            f"is a list of which {len(wrong)} lines do not name one image: "
            f"{', '.join(wrong[:3])}. A line is the id of an image, which is what the stars of "
            f"{FIELD}.images stand for, or its file name.",
        )
    twice = [id for id, count in Counter(ids).items() if count > 1]
    if twice:
        raise fault(f"splits[{split!r}]", f"is a list that names {twice[0]!r} twice.")
    return ids


def _name(value: Any) -> str:
    name = as_text("splits", value)
    if not name.replace("_", "").isalnum():
        raise fault("splits", f"holds {name!r}; letters, digits and _ make the name of a split.")
    if name == _RESERVED:
        raise fault("splits", f"holds {name!r}, which TFDS takes for all splits. Rename it.")
    return name
