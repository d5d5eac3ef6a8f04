"""What the pipeline yields: uint8 batches in host memory."""

from typing import NotRequired, TypedDict

import numpy as np
from jaxtyping import Float32, UInt8


class HostBatch(TypedDict):
    """A `Batch` in host memory.

    Attributes:
        image: RGB as stored.
        label: class ids, IGNORE_LABEL where the pixel does not count.
        border: weights of pixels between objects; in training only, where the examples have it.
        id: name of the example in each row; in evaluation without those of the padding, in
            training of the example that was used, where another was skipped, and of the one
            that was pasted into, where two were mixed.
    """

    image: UInt8[np.ndarray, "b h w 3"]
    label: UInt8[np.ndarray, "b h w"]
    border: NotRequired[Float32[np.ndarray, "b h w"]]
    id: list[str]
