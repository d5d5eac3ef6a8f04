"""The fully connected layers of VGG-16 as DeepLab v1 convolves them (arXiv:1412.7062).

Section 3.1 for the atrous kernels, section 5.2 and table 2 for the field-of-view variants.
"""

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from seg_jax.layers.conv import Conv
from seg_jax.layers.dropout import Dropout


class FieldOfView(nn.Module):
    """fc6 with an atrous kernel, fc7 with a 1x1 kernel, ReLU and dropout after each.

    Attributes:
        features: channels of both; 4096 as in VGG-16, 1024 in LargeFOV.
        kernel_size: side of fc6: 7 as in VGG-16, 4 or 3 after subsampling it.
        rate: atrous rate of fc6; with the kernel it sets the field of view.
        dropout_rate: share of the features dropped after each layer.
    """

    features: int
    kernel_size: int
    rate: int
    dropout_rate: float

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], *, train: bool
    ) -> Float[Array, "b h w {self.features}"]:
        """Returns features at the resolution of `x`."""
        x = Conv(self.features, self.kernel_size, rate=self.rate, name="fc6")(x)
        x = Dropout(self.dropout_rate, deterministic=not train)(jax.nn.relu(x))
        x = Conv(self.features, 1, name="fc7")(x)
        return Dropout(self.dropout_rate, deterministic=not train)(jax.nn.relu(x))
