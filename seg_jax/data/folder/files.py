"""Which files of the user's folder the patterns name, and whether they have changed since."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from seg_jax.data.folder.description import FIELD, ONE_FILE_FORMS, PICTURE_FORMS, Description
from seg_jax.data.folder.pattern import PICTURES, Match, Pattern

_PARSED = (".json",)
"""Endings of label files that are not pictures."""


class Named(NamedTuple):
    """A file that a pattern matches.

    Attributes:
        name: its path relative to the user's folder.
        match: what the pattern reads from that.
        state: its size and time of change.
    """

    name: str
    match: Match
    state: str


class Found(NamedTuple):
    """The files of a description, each kind by name.

    Attributes:
        images: the images.
        labels: the labels, or the files that hold the labels of many images.
        others: every other file that the description names: its lists.
    """

    images: tuple[Named, ...]
    labels: tuple[Named, ...]
    others: tuple[Named, ...]

    def fingerprint(self) -> dict[str, str]:
        """Returns the number of files, and a checksum of their names, sizes and times."""
        files = sorted({(file.name, file.state) for kind in self for file in kind})
        text = "\n".join(f"{name}\t{state}" for name, state in files)
        return {"files": str(len(files)), "sha256": hashlib.sha256(text.encode()).hexdigest()}


def find_files(description: Description, root: Path) -> Found:
    """Looks for the files; does not open one.

    Raises:
        ValueError: a pattern matches nothing (says what was looked for, and what lies there), or
            masks are of a class that is not described.
    """
    listing: dict[str, dict[str, str]] = {}
    images: dict[str, Named] = {}
    for pattern in description.image_patterns():
        for file in _matches(pattern, root, PICTURES, listing):
            images.setdefault(file.name, file)
    if not images:
        raise _nothing("images", " or ".join(description.images), root)
    pattern = description.label_pattern()
    if description.form in ONE_FILE_FORMS:
        names = [pattern.text.replace("{split}", split) for split in description.splits.names]
        labels = [_single(root, name, "labels") for name in dict.fromkeys(names)]
    else:
        pictures = description.form in (*PICTURE_FORMS, "per_class")
        labels = list(_matches(pattern, root, PICTURES if pictures else _PARSED, listing))
        if description.form == "per_class":
            _check_class_names(description, root, listing, {*images, *(f.name for f in labels)})
        if not labels:
            raise _nothing("labels", description.labels, root)
    lists = description.splits.lists.items()
    others = [_single(root, name, f"splits[{split!r}]") for split, name in lists]
    return Found(
        tuple(sorted(images.values())),
        tuple(sorted(labels)),
        tuple(others),
    )


def _matches(
    pattern: Pattern, root: Path, endings: tuple[str, ...], listing: dict[str, dict[str, str]]
) -> Iterator[Named]:
    if pattern.base not in listing:
        top = root / pattern.base
        listing[pattern.base] = dict(_walk(top, pattern.base)) if top.is_dir() else {}
    for name, state in listing[pattern.base].items():
        if name.lower().endswith(endings) and (match := pattern.match(name)):
            yield Named(name, match, state)


def _check_class_names(
    description: Description, root: Path, listing: dict[str, dict[str, str]], known: set[str]
) -> None:
    """Refuses masks that only differ from others in that no class has their name."""
    anything = Pattern(description.labels, split=description.splits.names)
    files = [f for f in _matches(anything, root, PICTURES, listing) if f.name not in known]
    if files:
        first = min(files)
        raise ValueError(
            f"{len(files)} masks below {root} are of no class, such as {first.name}: "
            f"{first.match.class_!r} is not among {description.classes.names}. Add it to "
            f"{FIELD}.classes, or to {FIELD}.skip, which leaves such masks out."
        )


def _walk(top: Path, name: str) -> Iterator[tuple[str, str]]:
    """Yields every file below a folder, links followed, with its state; hidden ones left out."""
    pending, seen = [(os.fspath(top), name)], set()
    while pending:
        folder, name = pending.pop()
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:  # a link to a folder above itself
            continue
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                path = f"{name}/{entry.name}" if name else entry.name
                if entry.is_dir():
                    pending.append((entry.path, path))
                elif entry.is_file():
                    yield path, _state(entry.stat())


def _state(status: os.stat_result) -> str:
    return f"{status.st_size} {status.st_mtime_ns}"


def _single(root: Path, name: str, field: str) -> Named:
    path = root / name
    if not path.is_file():
        raise _nothing(field, name, root)
    return Named(name, Match("", "", ""), _state(path.stat()))


def _nothing(field: str, looked_for: str, root: Path) -> ValueError:
    """Returns the error for a pattern without files: what lies where it looked."""
    folder = root / Pattern(looked_for).base
    while not folder.is_dir():
        folder = folder.parent
    entries = sorted(
        f"{path.name}/" if path.is_dir() else path.name
        for path in folder.iterdir()
        if not path.name.startswith(".")
    )
    more = f" and {len(entries) - 5} more" if len(entries) > 5 else ""
    lies = ", ".join(entries[:5]) + more if entries else "nothing"
    # No FileNotFoundError: for those, archives that lie in the folder would be unpacked.
    return ValueError(
        f"{FIELD}.{field}={looked_for!r} matches no file below {root}; in {folder} "
        f"lies: {lies}. Correct the field, or {FIELD}.path."
    )


def changed(fingerprint: Mapping[str, str], description: Description, root: Path) -> str:
    """Returns how the files differ from a fingerprint, empty where they do not.

    A folder that is not there says nothing: the prepared set may have been taken elsewhere.
    """
    if not root.is_dir():
        return ""
    try:
        now = find_files(description, root).fingerprint()
    except ValueError as error:
        return str(error)
    if now == fingerprint:
        return ""
    if now["files"] != fingerprint["files"]:
        return f"{fingerprint['files']} files then, {now['files']} now"
    return "files were renamed, or have another size or time of change"
