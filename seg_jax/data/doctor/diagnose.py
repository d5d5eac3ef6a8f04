"""Sorts refused examples by what is wrong with them.

The file is looked at again, instead of taking the error's sentence apart.
"""

import cv2
import numpy as np

from seg_jax.data.convert import origin_of
from seg_jax.data.doctor.facts import Fault
from seg_jax.data.doctor.reasons import colours_cause
from seg_jax.data.image_header import MAX_PIXELS, read_size
from seg_jax.data.items import Item, Reader
from seg_jax.data.spec import DatasetSpec
from seg_jax.data.validate import DataError, Origin, decode_image, decode_label

KINDS = {
    "missing image": "images are not there",
    "missing label": "images have no label file",
    "empty image": "image files are empty (0 bytes)",
    "empty label": "label files are empty (0 bytes)",
    "unreadable image": "images cannot be decoded",
    "unreadable label": "labels cannot be decoded",
    "huge image": "images claim more pixels than are decoded",
    "huge label": "labels claim more pixels than are decoded",
    "colour label": "labels are in colour where class ids are expected",
    "deep label": "labels have more than 8 bits",
    "sizes differ": "labels have another size than their image",
    "values": "labels hold values that are no class",
    "refused": "examples are refused",
    "damaged record": "records of the prepared dataset are damaged",
}
"""Kind of fault -> what to say of the examples that have it, after their number."""


def diagnose(spec: DatasetSpec, split: str, item: Item, reader: Reader, error: Exception) -> Fault:
    """Returns what is wrong with an item that was refused.

    Args:
        spec: the dataset.
        split: the split, for messages.
        item: the example.
        reader: what reads it.
        error: with which it was refused.
    """
    origin = origin_of(spec.name, split, item)
    message = str(error)
    for part, path in (("image", item.image), ("label", item.label)):
        if path is not None and not path.is_file():
            return Fault(f"missing {part}", item.id, message)
        if path is not None and not path.stat().st_size:
            return Fault(f"empty {part}", item.id, message)
    try:
        parts = reader(item, origin)
    except (ValueError, OSError) as refusal:
        return _unread(spec, item, origin, refusal)
    data = parts.image or item.image.read_bytes()
    try:
        image = decode_image(data, origin)
    except DataError:
        height, width = read_size(data) or (0, 0)
        kind = "huge image" if height * width > MAX_PIXELS else "unreadable image"
        return Fault(kind, item.id, message)
    if image.shape[:2] != parts.ids.shape:
        return Fault("sizes differ", item.id, message)
    counts = np.bincount(parts.ids.ravel(), minlength=256)
    values = {value: int(counts[value]) for value in np.flatnonzero(counts).tolist()}
    return Fault("values", item.id, message, values=values)


def _unread(spec: DatasetSpec, item: Item, origin: Origin, refusal: Exception) -> Fault:
    """Sorts an item whose reader refused it; the reader may well expect colours or JSON."""
    message = str(refusal)
    try:
        decode_label(item.label_bytes(), origin)
    except DataError as plain:
        if str(plain) == message:
            return _undecoded(spec, item, message)
    return Fault("refused", item.id, message)


def _undecoded(spec: DatasetSpec, item: Item, message: str) -> Fault:
    data = item.label_bytes()
    height, width = read_size(data) or (0, 0)
    if height * width > MAX_PIXELS:
        return Fault("huge label", item.id, message)
    try:
        label = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        label = None
    if label is None:
        return Fault("unreadable label", item.id, message)
    if label.dtype != np.uint8:
        return Fault("deep label", item.id, message)
    colours = cv2.cvtColor(np.ascontiguousarray(label[..., :3]), cv2.COLOR_BGR2RGB)
    return Fault("colour label", item.id, message, colours_cause(colours, spec.palette))
