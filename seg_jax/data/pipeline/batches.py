"""What the pipeline yields: uint8 batches in host memory."""

from typing import TypedDict

import numpy as np
from jaxtyping import UInt8


class HostBatch(TypedDict):
    """A `Batch` in host memory.

    Attributes:
        image: RGB as stored.
        label: class ids, IGNORE_LABEL where the pixel does not count.
    """

    image: UInt8[np.ndarray, "b h w 3"]
    label: UInt8[np.ndarray, "b h w"]


class EvalBatch(HostBatch):
    """A batch of examples that are counted once each.

    Attributes:
        id: names of the examples, one for each row that is not padding.
        num_examples: rows that are examples; those after them are padding, all ignored.
    """

    id: list[str]
    num_examples: int
