"""Array aliases and the records that cross module boundaries.

Axis letters, everywhere: `b` batch, `h w` spatial, `c` channels, `k` classes.
Images and features are channels-last. Labels are class ids, never one-hot.
"""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import flax.struct
from jax import Array
from jaxtyping import Float, Int, UInt8

Image = Float[Array, "b h w 3"]
Labels = Int[Array, "b h w"]
Logits = Float[Array, "b h w k"]
Features = Mapping[int, Array]
"""Output stride in pixels -> feature map [b, ceil(h / stride), ceil(w / stride), c]."""


DEVICE_AXIS = "device"
"""Name of the axis over which a function written for one device is mapped over many."""


class Batch(TypedDict):
    """What the data pipeline delivers and every step consumes.

    Attributes:
        image: RGB as stored, before jitter and normalisation, which run on the device.
        label: class ids, IGNORE_LABEL where the pixel does not count.
        border: what the loss of a pixel weighs in addition for lying between two objects, where
            the config asks for it (U-Net, arXiv:1505.04597, equation 2).
    """

    image: UInt8[Array, "b h w 3"]
    label: UInt8[Array, "b h w"]
    border: NotRequired[Float[Array, "b h w"]]


@flax.struct.dataclass
class Outputs:
    """What every model returns.

    Fields are not typed more closely because JAX also fills pytrees with shapes and
    placeholders.

    Attributes:
        logits: unnormalised class scores, float32 [b, h, w, k], at the image's resolution.
        aux: auxiliary logits by name, same shape, used by the training loss only.
        presence: scores [b, k] of a class being anywhere in the image, of architectures that
            learn them beside the logits (EncNet); `None` elsewhere.
    """

    logits: Any
    aux: Mapping[str, Any] = flax.struct.field(default_factory=dict)
    presence: Any = None


@flax.struct.dataclass
class Term:
    """One summand of the objective; adds over devices and micro-batches leaf by leaf.

    Attributes:
        sum: the loss summed over what it is measured on, a scalar.
        weight: what the sum is divided by once it is that of the global batch; where that is
            0, nothing is divided.
        factor: what the quotient is multiplied by; a static number, not a leaf.
    """

    sum: Any
    weight: Any
    factor: float = flax.struct.field(pytree_node=False)
