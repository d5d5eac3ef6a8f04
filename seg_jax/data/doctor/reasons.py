"""Why label pictures hold what is no class: the mistakes that leave such values, told apart.

Each is a guess from the values alone, worded as one. The luma that OpenCV and Pillow use for
grey is that of ITU-R BT.601.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import UInt8

from seg_jax.data.spec import Color, DatasetSpec
from seg_jax.labels import IGNORE_LABEL

_LUMA = (0.299, 0.587, 0.114)
_MANY = 24
"""Distinct wrong values from which on they were mixed rather than chosen."""

_MANY_COLOURS = 256


def values_cause(values: Mapping[int, int], spec: DatasetSpec) -> str:
    """Returns the likely reason for label values that are no class, with the remedy.

    Args:
        values: label value -> pixels, over the labels that hold a wrong one; allowed ones too.
        spec: the dataset.
    """
    found = {value for value, pixels in values.items() if pixels}
    k = spec.num_classes
    wrong = sorted(value for value in found if k <= value != IGNORE_LABEL)
    own = found - {IGNORE_LABEL}
    if wrong == [k] and 0 not in found:
        return (
            f"The ids are counted from 1 (1..{k}, no 0): subtract 1 from every value, and map 0, "
            f"where it means void, to {IGNORE_LABEL}."
        )
    if wrong == [k]:
        return (
            f"{k} is one above the last class: a void label stored as {k}, to be mapped to "
            f"{IGNORE_LABEL}, or 0 is a background class that the list of classes lacks."
        )
    if own <= _lumas(spec.palette) | {0} and len(own) > 1:
        return (
            "The values are the grey levels of the dataset's colours: a picture in colour was "
            "converted to grey, which loses the ids. Convert the colours to ids instead."
        )
    if spread := _spread(found):
        return (
            f"The values are multiples of {spread}: ids spread over 0..255 to be seen. Divide "
            f"them by {spread}."
        )
    if k == 19 and max(wrong) <= 33 and len(wrong) > 1:
        return (
            "Values up to 33 with 19 classes look like the label ids of Cityscapes, not its train "
            "ids: map them by its table."
        )
    if len(wrong) >= _MANY:
        return (
            f"{len(wrong)} different wrong values look mixed, not chosen: the labels were resized "
            "with interpolation or saved as JPEG. Make them again, by nearest neighbour, as PNG."
        )
    return (
        f"Map {_listed(wrong)} to classes 0..{k - 1} or to {IGNORE_LABEL}, or add the classes "
        "that they stand for."
    )


def colours_cause(label: UInt8[np.ndarray, "h w c"], palette: Sequence[Color]) -> str:
    """Returns the likely reason for a label with several channels, with the remedy.

    Args:
        label: as decoded, RGB or RGBA.
        palette: colour of every class.
    """
    rgb = label[..., :3].reshape(-1, 3)
    if np.array_equal(rgb[:, 0], rgb[:, 1]) and np.array_equal(rgb[:, 0], rgb[:, 2]):
        return "Its channels are equal: ids saved as a grey RGB picture. Keep one channel."
    colours = {tuple(colour) for colour in np.unique(rgb, axis=0).tolist()}
    if colours <= {*palette, (0, 0, 0), (255, 255, 255)}:
        return (
            f"Its {len(colours)} colours are those of the dataset's palette: a coloured copy of "
            "the labels. Take the files of ids, or convert the colours to ids by the palette."
        )
    if len(colours) <= _MANY_COLOURS:
        return (
            f"It has {len(colours)} colours, one a class, it seems: convert them to ids by a "
            "colour map (dataset `folder` does)."
        )
    return (
        f"It has {len(colours)} colours: a photograph, or colours mixed by JPEG or by resizing. "
        "Check that the file is a label."
    )


def binary_cause(pixels: Sequence[int], num_classes: int) -> str:
    """Returns the reason where labels hold 0 and 255 alone; empty where they hold others too.

    Such labels pass every check: 255 means ignored.

    Args:
        pixels: pixels of every class, those of IGNORE_LABEL last.
        num_classes: number of classes.
    """
    if num_classes > 1 and pixels[0] and pixels[-1] and not any(pixels[1:-1]):
        return (
            "The labels hold the values 0 and 255 alone: binary masks saved as 0/255, whose "
            "foreground reads as ignored. Map 255 to class 1."
        )
    return ""


def _lumas(palette: Sequence[Color]) -> set[int]:
    exact = np.array(palette, np.float64) @ np.array(_LUMA)
    return {int(value) for rounded in (np.floor(exact), np.rint(exact)) for value in rounded}


def _spread(found: set[int]) -> int:
    """Returns the step of three or more values that are multiples of one, else 0."""
    step = int(np.gcd.reduce(sorted(found)))
    return step if step > 1 and len(found) > 2 else 0


def _listed(values: Sequence[int], most: int = 8) -> str:
    more = f" and {len(values) - most} more" if len(values) > most else ""
    return ", ".join(map(str, values[:most])) + more
