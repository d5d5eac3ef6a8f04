"""Depthwise separable convolution, optionally atrous (arXiv:1802.02611, section 3.1)."""

import dataclasses

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from seg_jax.layers.conv import Activation, ConvNormAct
from seg_jax.layers.norm import Norm


class SeparableConv(nn.Module):
    """A k x k convolution per channel, "depthwise", then a 1x1 convolution, "pointwise".

    Architectures differ in what stands between the two. DeepLabv3+ has a norm and a ReLU
    there (the defaults); FastFCN's JPU a norm but no ReLU (`depthwise_act=linear`); PyTorch
    ports of DeepLabv3+ neither (`depthwise_norm=identity_norm` as well).

    Attributes:
        features: output channels.
        kernel_size: odd side of the depthwise kernel.
        stride: step of the output grid in cells of the input.
        rate: atrous rate of the depthwise convolution.
        act: activation after the pointwise convolution.
        depthwise_act: activation after the depthwise convolution.
        norm: normalisation factory, already told whether this is a training pass.
        depthwise_norm: norm after the depthwise convolution; `None` takes `norm`.
    """

    features: int
    kernel_size: int = 3
    stride: int = 1
    rate: int = 1
    act: Activation = jax.nn.relu
    depthwise_act: Activation = jax.nn.relu
    norm: Norm = dataclasses.field(kw_only=True)
    depthwise_norm: Norm | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 {self.features}"]:
        """Convolves per channel, then across channels."""
        x = ConvNormAct(
            x.shape[-1],
            self.kernel_size,
            self.stride,
            self.rate,
            groups=x.shape[-1],
            act=self.depthwise_act,
            norm=self.norm if self.depthwise_norm is None else self.depthwise_norm,
            name="depthwise",
        )(x)
        return ConvNormAct(
            self.features, kernel_size=1, act=self.act, norm=self.norm, name="pointwise"
        )(x)
