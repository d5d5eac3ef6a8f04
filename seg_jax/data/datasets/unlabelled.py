"""Images of test sets, whose labels their publishers keep to themselves."""

import numpy as np

from seg_jax.data.items import Item, Parts
from seg_jax.data.validate import Origin, decode_image
from seg_jax.labels import IGNORE_LABEL


def ignore_all(
    item: Item, origin: Origin, *, image: bytes | None = None, instances: bool = False
) -> Parts:
    """Returns an image without a label: every pixel ignored, and no objects.

    Args:
        item: the image.
        origin: where it comes from.
        image: the image as JPEG or PNG, where it had to be converted.
        instances: whether the dataset knows objects.

    Raises:
        DataError: the image cannot be decoded.
    """
    encoded = item.image.read_bytes() if image is None else image
    size = decode_image(encoded, origin).shape[:2]
    numbers = np.zeros(size, np.uint16) if instances else None
    return Parts(np.full(size, IGNORE_LABEL, np.uint8), numbers, image)
