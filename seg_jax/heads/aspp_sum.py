"""Atrous spatial pyramid pooling of DeepLab v2 (arXiv:1606.00915, section 3.2, figures 4 and 7)."""

import functools
import operator

import flax.linen as nn
from jaxtyping import Array, Float

from seg_jax.heads.largefov import FieldOfView
from seg_jax.layers.conv import Conv
from seg_jax.layers.init import normal


class SummedASPP(nn.Module):
    """Classifies at several atrous rates and adds the scores.

    Over VGG-16 a branch is fc6, fc7 and a classifier; over ResNet-101 one 3x3 convolution
    straight to the classes.

    Attributes:
        num_classes: channels of the result.
        atrous_rates: rate of the 3x3 convolution of each branch, in cells of the input.
        fc_features: channels of fc6 and fc7; `None` for branches of one convolution.
        dropout_rate: share of the features dropped after fc6 and after fc7.
    """

    num_classes: int
    atrous_rates: tuple[int, ...]
    fc_features: int | None
    dropout_rate: float

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], *, train: bool
    ) -> Float[Array, "b h w {self.num_classes}"]:
        """Returns scores at the resolution of `x`."""
        scores = []
        for i, rate in enumerate(self.atrous_rates, start=1):
            kernel_size, y = 3, x
            if self.fc_features is not None:
                kernel_size = 1
                # Named by place, not by rate: weights may be evaluated at other rates.
                branch = FieldOfView(
                    self.fc_features, 3, rate, self.dropout_rate, name=f"branch{i}"
                )
                y, rate = branch(x, train=train), 1
            classifier = Conv(
                self.num_classes,
                kernel_size,
                rate=rate,
                kernel_init=normal(0.01),
                name=f"classifier{i}",
            )
            scores.append(classifier(y))
        return functools.reduce(operator.add, scores)
