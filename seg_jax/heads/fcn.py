"""The head of dilated FCNs: convolutions and a classifier."""

import dataclasses

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from seg_jax.layers.conv import Conv, ConvNormAct
from seg_jax.layers.dropout import Dropout
from seg_jax.layers.norm import Norm


class FCNHead(nn.Module):
    """3x3 convolutions, dropout, 1x1 classifier: the head of FCNs with an atrous backbone.

    It is also the auxiliary head of DeepLab and FastFCN implementations, on an earlier stage.

    Attributes:
        num_classes: channels of the result.
        features: channels of the 3x3 convolutions.
        dropout_rate: share of the features dropped in front of the classifier.
        num_convs: 3x3 convolutions; the first is named "conv", the others are numbered from 2.
        concat_input: joins the input to their result and convolves once more, "join", as
            mmsegmentation does.
        norm: normalisation factory.
    """

    num_classes: int
    features: int
    dropout_rate: float
    num_convs: int = 1
    concat_input: bool = False
    norm: Norm = dataclasses.field(kw_only=True)

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], *, train: bool
    ) -> Float[Array, "b h w {self.num_classes}"]:
        """Returns logits at the resolution of `x`."""
        y = x
        for i in range(1, self.num_convs + 1):
            name = "conv" if i == 1 else f"conv{i}"
            y = ConvNormAct(self.features, norm=self.norm, name=name)(y)
        if self.concat_input:
            joined = jnp.concatenate([x, y], axis=-1)
            y = ConvNormAct(self.features, norm=self.norm, name="join")(joined)
        y = Dropout(self.dropout_rate, deterministic=not train)(y)
        return Conv(self.num_classes, 1, name="classifier")(y)
