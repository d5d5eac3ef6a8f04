"""Maps what a publisher's label picture holds to class ids, and refuses what it cannot hold."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import UInt8

from seg_jax.data.validate import Origin

_UNKNOWN = -1


def map_values(
    values: UInt8[np.ndarray, "h w"], to_class: Mapping[int, int], origin: Origin, *, rule: str
) -> UInt8[np.ndarray, "h w"]:
    """Returns the class id of every pixel.

    Args:
        values: grey levels of the label picture.
        to_class: class id, or IGNORE_LABEL, of every value the picture may hold.
        origin: where the picture comes from.
        rule: the sentence that follows "holds the values ...": what is allowed, and the likely
            mistake or the remedy.

    Raises:
        DataError: the picture holds another value.
    """
    table = np.full(256, _UNKNOWN, np.int16)
    table[list(to_class)] = list(to_class.values())
    counts = np.bincount(values.ravel(), minlength=256)
    wrong = np.flatnonzero((counts > 0) & (table == _UNKNOWN))
    if wrong.size:
        raise origin.fault(
            "label",
            f"holds the values {wrong.tolist()} in {counts[wrong].sum()} pixels. {rule}",
        )
    return table.astype(np.uint8)[values]
