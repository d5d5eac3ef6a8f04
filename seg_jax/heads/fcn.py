"""Fully convolutional heads: skip fusion of FCN-8s, and the head of dilated FCNs.

Skip fusion: Long, Shelhamer, Darrell 2015 (arXiv:1411.4038, sections 4.1 and 4.2, figure 3).
"""

import dataclasses

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from seg_jax.layers.conv import Conv, ConvNormAct
from seg_jax.layers.norm import Norm
from seg_jax.layers.resize import resize_bilinear
from seg_jax.typing import Features


class FCNHead(nn.Module):
    """3x3 convolution, dropout, 1x1 classifier: the head of FCNs with an atrous backbone.

    It is also the auxiliary head of DeepLab and FastFCN implementations, on an earlier stage.

    Attributes:
        num_classes: channels of the result.
        features: channels of the 3x3 convolution.
        dropout_rate: share of the features dropped in front of the classifier.
        norm: normalisation factory.
    """

    num_classes: int
    features: int
    dropout_rate: float
    norm: Norm = dataclasses.field(kw_only=True)

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], *, train: bool
    ) -> Float[Array, "b h w {self.num_classes}"]:
        """Returns logits at the resolution of `x`."""
        x = ConvNormAct(self.features, norm=self.norm, name="conv")(x)
        x = nn.Dropout(self.dropout_rate, deterministic=not train)(x)
        return Conv(self.num_classes, 1, name="classifier")(x)


class FCNSkipHead(nn.Module):
    """Scores strides 32, 16 and 8 and adds them from coarse to fine.

    Coarse scores are resized to the finer map by bilinear interpolation, which is what the
    fixed transposed convolutions of the paper compute, but fits maps of any size. Layers
    carry the paper's names: "fc6" and "fc7" are the former fully connected layers of VGG.

    Attributes:
        num_classes: channels of the result.
        fc_features: channels of fc6 and fc7.
        fc_kernel_size: odd side of the kernel of fc6.
        dropout_rate: share of the features dropped after fc6 and after fc7.
        align_corners: convention of the interpolation, see `resize_bilinear`.
    """

    num_classes: int
    fc_features: int
    fc_kernel_size: int
    dropout_rate: float
    align_corners: bool

    @nn.compact
    def __call__(
        self, features: Features, *, train: bool
    ) -> Float[Array, "b h w {self.num_classes}"]:
        """Returns logits at stride 8."""
        x = Conv(self.fc_features, self.fc_kernel_size, name="fc6")(features[32])
        x = nn.Dropout(self.dropout_rate, deterministic=not train)(jax.nn.relu(x))
        x = Conv(self.fc_features, 1, name="fc7")(x)
        x = nn.Dropout(self.dropout_rate, deterministic=not train)(jax.nn.relu(x))
        scores = Conv(self.num_classes, 1, name="score_fr")(x)
        for stride, name in ((16, "score_pool4"), (8, "score_pool3")):
            # Zero at first, as in section 4.2: the net starts with the coarse prediction.
            skip = Conv(self.num_classes, 1, kernel_init=nn.initializers.zeros, name=name)
            size = features[stride].shape[1:3]
            scores = skip(features[stride]) + resize_bilinear(
                scores, size, align_corners=self.align_corners
            )
        return scores
