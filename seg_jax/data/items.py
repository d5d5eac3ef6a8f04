"""An example before it is prepared: what a builder lists, what reading and checking it give."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8, UInt16

from seg_jax.data.validate import Origin


class Item(NamedTuple):
    """One example as its publisher lays it out: cheap to list and to send to another process.

    Attributes:
        id: its name within the split.
        image: file of the image.
        label: file of the label, None where the label is in `annotation` or not published.
        annotation: what the label is made from beside or instead of that file, such as the
            polygons of an image; has to pickle.
    """

    id: str
    image: Path
    label: Path | None = None
    annotation: Any = None

    def label_bytes(self) -> bytes:
        """Returns the bytes of the label's file, none where there is no file."""
        return self.label.read_bytes() if self.label else b""


class Parts(NamedTuple):
    """What reading an item gives.

    Attributes:
        ids: class ids, IGNORE_LABEL where the pixel does not count.
        instances: number of the object that a pixel belongs to, 0 where it belongs to none;
            None where the dataset knows no objects.
        image: the image as JPEG or PNG, where it had to be converted; None leaves the file's
            own bytes.
    """

    ids: UInt8[np.ndarray, "h w"]
    instances: UInt16[np.ndarray, "h w"] | None = None
    image: bytes | None = None


Reader = Callable[[Item, Origin], Parts]
"""Reads an item; runs in worker processes, so it is a function of a module or a
`functools.partial` of one. Its `Origin` is for the messages of a `DataError`."""


class RawExample(NamedTuple):
    """One checked and encoded example on its way into a prepared dataset.

    Attributes:
        id: its name within the split.
        image: JPEG or PNG, the publisher's bytes wherever they are one of the two.
        label: PNG whose grey levels are class ids.
        instances: 16-bit PNG whose grey levels number the objects; None where there are none.
    """

    id: str
    image: bytes
    label: bytes
    instances: bytes | None = None
