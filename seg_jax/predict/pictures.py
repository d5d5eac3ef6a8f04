"""Finds the pictures a user names, decides what their results are called, and reads them."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import UInt8

ENDINGS = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
"""Files that are taken from a folder; a file that is named itself may have any ending."""


class PictureError(ValueError):
    """A file that is no picture, or not a whole one."""


class Picture(NamedTuple):
    """One picture to predict.

    Attributes:
        path: the file.
        name: path of its results inside the output folder, without their endings.
    """

    path: Path
    name: Path


def find_pictures(inputs: Sequence[Path], *, out: Path) -> list[Picture]:
    """Returns the pictures among `inputs` and in the folders there, frame2 before frame10.

    Results lie in the output folder as the pictures lie in the folder that all have in common,
    so that no two share a name; pictures that differ in their ending alone keep it.

    Args:
        inputs: files and folders; folders are searched to any depth, hidden files left out.
        out: the output folder; what it holds is not searched, since that is earlier results.

    Raises:
        FileNotFoundError: one of `inputs` does not exist.
        ValueError: a folder holds no picture.
    """
    found: dict[str, Path] = {}
    roots = []
    for path in inputs:
        if path.is_dir():
            files = _in_folder(path, out)
            if not files:
                raise ValueError(
                    f"Folder {str(path)!r} holds no picture; looked for "
                    f"{', '.join(sorted(ENDINGS))}."
                )
            roots.append(os.path.abspath(path))
        elif path.exists():
            files = [path]
            roots.append(os.path.dirname(os.path.abspath(path)))
        else:
            raise FileNotFoundError(f"There is no file or folder {str(path)!r}.")
        for file in files:
            found.setdefault(os.path.abspath(file), file)
    common = os.path.commonpath(roots)
    places = {absolute: Path(os.path.relpath(absolute, common)) for absolute in found}
    names = _names(places.values())
    return [
        Picture(found[absolute], names[places[absolute]])
        for absolute in sorted(found, key=_natural)
    ]


def _in_folder(folder: Path, out: Path) -> list[Path]:
    skipped = os.path.abspath(out)
    files = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and os.path.abspath(os.path.join(parent, name)) != skipped
        ]
        files += [
            Path(parent, name)
            for name in names
            if Path(name).suffix.lower() in ENDINGS and not name.startswith(".")
        ]
    return files


def _names(places: Iterable[Path]) -> dict[Path, Path]:
    """Returns a name for each file that no other has: its stem, or where that is taken its name."""
    places = list(places)
    stems = Counter(place.with_suffix("") for place in places)
    whole = set(places)
    return {
        place: place
        if stems[place.with_suffix("")] > 1 or place.with_suffix("") in whole
        else place.with_suffix("")
        for place in places
    }


def _natural(path: str) -> tuple[list[list[str | int]], str]:
    """Returns a key that sorts folder by folder, and numbers inside of names by their value."""
    parts = os.path.splitext(path)[0].split(os.sep)
    pieces = [re.split(r"(\d+)", part) for part in parts]
    return [[int(p) if i % 2 else p for i, p in enumerate(part)] for part in pieces], path


def read_picture(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """Reads a picture as 8-bit RGB, upright.

    Grey, palette, CMYK and 16-bit pictures are converted, transparency is dropped, and the EXIF
    orientation is applied: labels lie as the picture is seen.

    Raises:
        PictureError: the file cannot be read, or is not a whole picture.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(f"it cannot be read ({error.strerror})") from error
    try:
        # OpenCV raises for an empty buffer and for too many pixels, and returns None otherwise.
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error as error:
        raise PictureError(f"it cannot be decoded ({error.err})") from error
    if pixels is None:
        raise PictureError(f"its {len(data)} bytes are not a whole picture of a known format")
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
