"""Readers of labels that are pictures: values, colours, or one mask a class."""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Int, UInt

from seg_jax.data.folder import reasons
from seg_jax.data.folder.classes import LARGEST_VALUE, ClassTable, names_of
from seg_jax.data.folder.fields import FIELD
from seg_jax.data.formats.levels import decode_levels
from seg_jax.data.items import Item, Parts
from seg_jax.data.validate import Origin, check_claimed_size, decode_pixels
from seg_jax.labels import IGNORE_LABEL

_FOREIGN = -1
_OPAQUE = 255


def read_index(item: Item, origin: Origin, *, table: ClassTable) -> Parts:
    """Reads a picture whose values, or indices into a palette, stand for classes.

    Raises:
        DataError: it holds colours, or values that no class has; the message says why, likely.
    """
    data = item.label_bytes()
    levels = _single_channel(_decode(data, origin), origin)
    to_class = np.full(LARGEST_VALUE + 1, _FOREIGN, np.int16)
    for value, id in table.by_value.items():
        to_class[value] = id
    ids = to_class[levels]
    if (ids == _FOREIGN).any():
        present, counts = np.unique(levels, return_counts=True)
        wrong = to_class[present] == _FOREIGN
        raise origin.fault(
            "label",
            f"holds values that no class has: {names_of(present[wrong].tolist())} in "
            f"{counts[wrong].sum()} of {levels.size} pixels, beside "
            f"{names_of(present[~wrong].tolist()) or 'no others'}. "
            f"{reasons.of_values(present, table, data)}",
        )
    return Parts(ids.astype(np.uint8))


def read_rgb(item: Item, origin: Origin, *, table: ClassTable) -> Parts:
    """Reads a picture whose colours stand for classes.

    Raises:
        DataError: it has transparent pixels, or colours that no class has.
    """
    data = item.label_bytes()
    codes = _color_codes(data, origin)
    listed = {r << 16 | g << 8 | b: id for (r, g, b), id in table.by_value.items()}
    keys = np.array(sorted(listed), np.int32)
    ids = np.array([listed[key] for key in sorted(listed)], np.uint8)
    place = np.searchsorted(keys, codes).clip(max=keys.size - 1)
    foreign = keys[place] != codes
    if foreign.any():
        colors, counts = np.unique(codes[foreign], return_counts=True)
        ordered = [reasons.color_of(int(code)) for code in colors[np.argsort(-counts)]]
        raise origin.fault(
            "label",
            f"holds colours that no class has: {names_of(ordered)} in {counts.sum()} of "
            f"{codes.size} pixels. {reasons.of_colors(np.array(ordered, np.uint8), table, data)}",
        )
    return Parts(ids[place])


def read_per_class(item: Item, origin: Origin, *, table: ClassTable, overlap: str) -> Parts:
    """Reads one mask a class, 0 where the class is not; later classes above earlier ones.

    `Item.annotation` holds (name of the class in the file name, file) pairs.

    Raises:
        DataError: the masks have several sizes, or values beside 0 and one other.
    """
    by_name = table.by_value
    # In the order of classes, not of file names; what does not count comes last.
    masks = sorted((by_name[name], path) for name, path in item.annotation if name in by_name)
    if not masks:
        raise origin.fault(
            "label", f"is made only of masks that {FIELD}.skip leaves out. Add one of a class."
        )
    drawn = [(id, path.name, _mask(path, origin)) for id, path in masks]
    size = drawn[0][2].shape
    ids, covered = np.full(size, table.elsewhere, np.uint8), np.zeros(size, bool)
    for id, name, mask in drawn:
        if mask.shape != size:
            raise origin.fault(
                "label",
                f"is made of masks of several sizes: {name} is {mask.shape[0]} x {mask.shape[1]} "
                f"px, {drawn[0][1]} is {size[0]} x {size[1]} px (height x width). Give all the "
                "size of the image.",
            )
        ids[mask] = id
        if overlap == "ignore":
            ids[covered & mask] = IGNORE_LABEL
        covered |= mask
    return Parts(ids)


def _mask(path: Path, origin: Origin) -> Bool[np.ndarray, "h w"]:
    """Returns where the class of a mask is."""
    levels = _single_channel(_decode(path.read_bytes(), origin, path.name), origin, path.name)
    values = np.unique(levels)
    if np.count_nonzero(values) > 1:
        raise origin.fault(
            "label",
            f"holds in {path.name} the values {names_of(values.tolist())}: a mask of one class "
            "has 0 and one other. Export it again as PNG, neither compressed as JPEG nor "
            f"smoothed; for one picture of all classes set {FIELD}.form to 'index'.",
        )
    return levels > 0


def _decode(data: bytes, origin: Origin, name: str = "") -> np.ndarray:
    check_claimed_size(data, "label", origin)
    levels = decode_levels(data)
    if levels is None:
        raise origin.fault(
            "label",
            f"cannot be decoded{f' ({name})' if name else ''}: its {len(data)} bytes are not a "
            f"whole picture. {origin.remedy()}",
        )
    return levels


def _single_channel(levels: np.ndarray, origin: Origin, name: str = "") -> UInt[np.ndarray, "h w"]:
    """Returns the one channel there is, or that all are copies of.

    Raises:
        DataError: the picture has colours, transparent pixels, or no whole numbers.
    """
    what = f"in {name} " if name else ""
    if levels.dtype not in (np.uint8, np.uint16):
        raise origin.fault(
            "label", f"holds {what}{levels.dtype} values. Save it with 8 or 16 bit whole numbers."
        )
    if levels.ndim == 2:
        return levels
    colors = _opaque(levels, origin)
    if (colors != colors[..., :1]).any():
        raise origin.fault(
            "label",
            f"holds {what}colours where one value a pixel is read. Set {FIELD}.form to 'rgb' and "
            "give every class its colour, or save it with one channel.",
        )
    return colors[..., 0]


def _opaque(levels: np.ndarray, origin: Origin) -> UInt[np.ndarray, "h w 3"]:
    """Returns colours without the alpha channel, which has to say nothing."""
    if levels.shape[2] == 4 and (levels[..., 3] != np.iinfo(levels.dtype).max).any():
        raise origin.fault(
            "label",
            "has an alpha channel with transparent pixels, whose class cannot be told. Flatten "
            "it onto the colour of a class, or save it without alpha.",
        )
    return levels[..., :3]


def _color_codes(data: bytes, origin: Origin) -> Int[np.ndarray, "h w"]:
    """Returns red << 16 | green << 8 | blue of every pixel; a palette gives its colours."""
    pixels = decode_pixels(data, cv2.IMREAD_UNCHANGED, "label", origin)
    if pixels.dtype != np.uint8:
        raise origin.fault(
            "label", f"holds {pixels.dtype} values, but colours have 8 bits. Save it as such."
        )
    if pixels.ndim == 2:  # a picture of greys alone, saved with one channel
        pixels = np.stack([pixels] * 3, axis=-1)
    blue, green, red = np.moveaxis(_opaque(pixels, origin).astype(np.int32), -1, 0)
    return red << 16 | green << 8 | blue
