"""Patterns of file names: what they match, and the id that pairs an image with its label.

    *         part of a name
    **/       any number of folders
    {id}      what image and label have in common, folders included
    {split}   the name of a split
    {class}   the name of a class

The id is {id}, or what the stars stand for, joined by "/": `images/*.jpg` and
`masks/*_mask.png` both read "a" from their a.jpg and a_mask.png. The ending of a picture is
no part of it, so `ann/*.json` pairs a.jpg.json with a.jpg. Fixed parts match in any case.
"""

import functools
import re
from collections.abc import Iterable
from typing import NamedTuple

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
"""Endings of files that are taken for pictures."""

_TOKENS = re.compile(r"(\*\*/|\*\*|\*|\?|\{[^}]*\})")
_PLACEHOLDERS = ("{id}", "{split}", "{class}")


class Match(NamedTuple):
    """What a file name says.

    Attributes:
        id: what pairs it.
        split: what {split} stands for, else empty.
        class_: what {class} stands for, else empty.
    """

    id: str
    split: str
    class_: str


class Pattern:
    """A pattern, relative to the user's folder.

    Attributes:
        text: the pattern as given.
        base: the folder below which all of its files lie, "" for the user's folder itself.
        several: whether it matches several files, and not only the one it names.
    """

    def __init__(self, text: str, *, split: Iterable[str] = (), class_: Iterable[str] = ()):
        """Reads a pattern.

        Args:
            text: the pattern.
            split: what {split} may stand for.
            class_: what {class} may stand for; anything where empty.
        """
        self.text = text
        tokens = _TOKENS.split(text)
        fixed = tokens[0] if len(tokens) > 1 else text
        self.base = fixed.rpartition("/")[0]
        self.several = "*" in text or "{id}" in text
        self._names = {"{split}": tuple(split), "{class}": tuple(class_)}

    def check(self, field: str) -> None:
        """Refuses what leads out of the folder, and unknown placeholders.

        Raises:
            ValueError: the pattern cannot be used; the message names `field`.
        """
        if self.text.startswith(("/", "~")) or ".." in self.text.split("/"):
            raise ValueError(
                f"{field}={self.text!r} leads out of the folder. Patterns are relative to "
                "config.dataset.folder.path: set that to the folder which holds everything."
            )
        found = re.findall(r"\{[^}]*\}", self.text)
        unknown = [part for part in found if part not in _PLACEHOLDERS]
        twice = [part for part in found if found.count(part) > 1]
        if unknown or twice:
            raise ValueError(
                f"{field}={self.text!r} holds {(unknown or twice)[0]} "
                f"{'which is not known' if unknown else 'more than once'}; a pattern may hold "
                f"*, **/ and, once each, {', '.join(_PLACEHOLDERS)}."
            )

    def match(self, name: str) -> Match | None:
        """Returns what a path relative to the folder says, None where it does not match."""
        found = self._regex.fullmatch(name)
        if found is None:
            return None
        known = self._regex.groupindex
        if "id" in known:
            id = found["id"]
        else:
            parts = (found[name].rstrip("/") for name in known if name.startswith("star"))
            id = "/".join(filter(None, parts))
        split = found["split"] if "split" in known else ""
        return Match(without_ending(id), split, found["class"] if "class" in known else "")

    @functools.cached_property
    def _regex(self) -> re.Pattern[str]:
        parts = []
        for position, token in enumerate(_TOKENS.split(self.text)):
            if position % 2 == 0:
                parts.append(f"(?i:{re.escape(token)})")
            else:
                parts.append(self._expression(token, f"star{position}"))
        return re.compile("".join(parts))

    def _expression(self, token: str, star: str) -> str:
        match token:
            case "**/":
                return f"(?P<{star}>(?:[^/]+/)*)"
            case "**":
                return f"(?P<{star}>.*)"
            case "*":
                return f"(?P<{star}>[^/]*)"
            case "?":
                return f"(?P<{star}>[^/])"
            case "{id}":
                # As little as possible, and the longest name of a class first: "a_leaf_edge" is
                # the "leaf_edge" of "a" and not the "edge" of "a_leaf".
                return "(?P<id>.+?)"
        names = sorted(self._names[token], key=len, reverse=True)
        return f"(?P<{token[1:-1]}>{'|'.join(map(re.escape, names)) or '[^/]+'})"


def without_ending(name: str) -> str:
    """Returns a name without the ending of a picture, where it has one."""
    stem, dot, ending = name.rpartition(".")
    return stem if dot and f".{ending.lower()}" in PICTURES else name
