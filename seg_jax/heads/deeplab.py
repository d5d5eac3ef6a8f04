"""The head of DeepLabv3: ASPP and classifier (arXiv:1706.05587, section 3.3, figure 5)."""

import dataclasses

import flax.linen as nn
from jaxtyping import Array, Float

from seg_jax.heads.aspp import ASPP
from seg_jax.layers.conv import Conv, ConvNormAct
from seg_jax.layers.dropout import Dropout
from seg_jax.layers.norm import Norm


class DeepLabHead(nn.Module):
    """Classifies the features of an ASPP.

    Attributes:
        num_classes: channels of the result.
        features: channels inside the head.
        atrous_rates: rates of the ASPP in cells of the input.
        refine: puts a 3x3 convolution between the ASPP and the classifier.
        dropout_rate: share of the ASPP's features dropped.
        image_pooling: see `ASPP`.
        project_kernel_size: see `ASPP`.
        norm: normalisation factory.
    """

    num_classes: int
    features: int
    atrous_rates: tuple[int, ...]
    refine: bool
    dropout_rate: float
    image_pooling: bool = True
    project_kernel_size: int = 1
    norm: Norm = dataclasses.field(kw_only=True)

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], *, train: bool
    ) -> Float[Array, "b h w {self.num_classes}"]:
        """Returns logits at the resolution of `x`."""
        x = ASPP(
            self.features,
            self.atrous_rates,
            image_pooling=self.image_pooling,
            project_kernel_size=self.project_kernel_size,
            norm=self.norm,
            name="aspp",
        )(x)
        x = Dropout(self.dropout_rate, deterministic=not train)(x)
        if self.refine:
            x = ConvNormAct(self.features, norm=self.norm, name="refine")(x)
        return Conv(self.num_classes, 1, name="classifier")(x)
