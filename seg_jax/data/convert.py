"""Reads, checks and encodes listed items."""

from collections.abc import Iterator, Mapping, Sequence

from seg_jax.data.items import Item, RawExample, Reader
from seg_jax.data.spec import DatasetSpec
from seg_jax.data.validate import Origin, check_parts, decode_image, encode_png


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
    parts = reader(item, origin)
    image = item.image.read_bytes() if parts.image is None else parts.image
    check_parts(decode_image(image, origin), parts.ids, spec.num_classes, origin)
    instances = None if parts.instances is None else encode_png(parts.instances)
    return RawExample(item.id, image, encode_png(parts.ids), instances)


class Conversion:
    """Converts one item after the other in this process."""

    def start(self, items: Mapping[str, Sequence[Item]]) -> None:
        """Is told what will be converted, before anything is written."""

    def run(
        self, spec: DatasetSpec, split: str, items: Sequence[Item], reader: Reader
    ) -> Iterator[RawExample]:
        """Yields the examples of a split in order.

        Raises:
            DataError: an item is faulty.
        """
        for item in items:
            yield convert(spec, split, item, reader)
