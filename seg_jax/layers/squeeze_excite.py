"""Squeeze-and-excitation (Hu et al., arXiv:1709.01507) with the gate of MobileNetV3."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seg_jax.layers.conv import Conv


class SqueezeExcite(nn.Module):
    """Scales every channel by a gate that the means of all channels open.

    Attributes:
        squeezed: channels between the two 1x1 convolutions.
    """

    squeezed: int

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        """Returns `x` times its gate, a hard sigmoid (arXiv:1905.02244, section 5.2)."""
        gate = jnp.mean(x, axis=(1, 2), keepdims=True)
        gate = jax.nn.relu(Conv(self.squeezed, 1, name="reduce")(gate))
        return x * jax.nn.hard_sigmoid(Conv(x.shape[-1], 1, name="expand")(gate))
