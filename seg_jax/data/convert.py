"""Reads, checks and encodes one listed item."""

from seg_jax.data.items import Item, Parts, RawExample, Reader
from seg_jax.data.spec import DatasetSpec
from seg_jax.data.validate import DataError, Origin, check_parts, decode_image, encode_png


def origin_of(dataset: str, split: str, item: Item) -> Origin:
    """Returns where an item comes from, for messages."""
    return Origin(dataset, split, item.id, str(item.image), str(item.label) if item.label else "")


def convert(spec: DatasetSpec, split: str, item: Item, reader: Reader) -> RawExample:
    """Reads and checks one item and encodes its label.

    Raises:
        DataError: the item is faulty; the message names the file, the fault and the remedy.
    """
    origin = origin_of(spec.name, split, item)
    for part, path in (("image", item.image), ("label", item.label)):
        if path is not None and not path.is_file():
            raise origin.fault(part, "is missing. Unpack the archive again.")
    try:
        parts = reader(item, origin)
    except OSError as error:
        raise _unreadable("label", error, origin) from error
    image = _image_of(item, parts, origin)
    check_parts(decode_image(image, origin), parts.ids, spec.num_classes, origin)
    instances = None if parts.instances is None else encode_png(parts.instances)
    return RawExample(item.id, image, encode_png(parts.ids), instances)


def _image_of(item: Item, parts: Parts, origin: Origin) -> bytes:
    if parts.image is not None:
        return parts.image
    try:
        return item.image.read_bytes()
    except OSError as error:
        raise _unreadable("image", error, origin) from error


def _unreadable(part: str, error: OSError, origin: Origin) -> DataError:
    return origin.fault(
        part,
        f"cannot be read: {error.filename} ({error.strerror or error}). Check the disk and the "
        "permissions of the file.",
    )
