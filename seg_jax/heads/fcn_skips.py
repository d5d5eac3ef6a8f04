"""Skip fusion of FCN-32s, -16s and -8s.

Long, Shelhamer, Darrell 2015 (arXiv:1411.4038, sections 4.1 and 4.2, figure 3); Shelhamer,
Long, Darrell 2017 (arXiv:1605.06211, section 4.3) for training all skips at once.
"""

from collections.abc import Callable

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from seg_jax.layers.conv import Conv
from seg_jax.layers.deconv import BilinearUpConv
from seg_jax.layers.dropout import Dropout
from seg_jax.layers.resize import resize_bilinear
from seg_jax.typing import Features

SKIPS = {16: "score_pool4", 8: "score_pool3"}
"""Stride of a skip -> the layer that scores it, coarse to fine."""

_AT_ONCE_SCALES = {16: 1e-2, 8: 1e-4}
"""Factors on the skips that let all of them train together; read in the authors' networks."""

_SKIP_CROPS = {16: 5, 8: 9}
_FINAL_CROPS = {32: 19, 16: 27, 8: 31}
"""First row and column that is kept; they undo the padding of 100 pixels around the image."""


class FCNSkipHead(nn.Module):
    """Scores strides 32, 16 and 8 and adds them from coarse to fine.

    Coarse scores are resized to the finer map by bilinear interpolation, which is what the
    fixed transposed convolutions of the paper compute, but fits maps of any size. Layers
    carry the paper's names: "fc6" and "fc7" are the former fully connected layers of VGG.

    Attributes:
        num_classes: channels of the result.
        fc_features: channels of fc6 and fc7.
        fc_kernel_size: odd side of the kernel of fc6.
        finest_stride: last stride that is added: 32, 16 or 8.
        at_once: scales the skips down as the authors do where no coarser net comes first.
        dropout_rate: share of the features dropped after fc6 and after fc7.
        align_corners: convention of the interpolation, see `resize_bilinear`.
    """

    num_classes: int
    fc_features: int
    fc_kernel_size: int
    finest_stride: int
    at_once: bool
    dropout_rate: float
    align_corners: bool

    @nn.compact
    def __call__(
        self, features: Features, *, train: bool
    ) -> Float[Array, "b h w {self.num_classes}"]:
        """Returns logits at `finest_stride`."""
        fc6 = Conv(self.fc_features, self.fc_kernel_size, name="fc6")
        scores = _score_coarsest(self, fc6, features[32], train=train)
        for stride, name in _skips(self.finest_stride):
            skip = _score_skip(self, stride, name, features[stride])
            size = skip.shape[1:3]
            scores = skip + resize_bilinear(scores, size, align_corners=self.align_corners)
        return scores


class CroppingFCNSkipHead(nn.Module):
    """The same with the borders of the authors' Caffe networks, to the pixel.

    The image has been padded so far that fc6 needs no padding; transposed convolutions of
    fixed kernels upsample, and everything is cropped at fixed offsets. The upsampling layers
    carry the names of the authors: "upscore2", "upscore_pool4", and "upscore", "upscore16" or
    "upscore8" for the last.

    Attributes:
        num_classes: channels of the result.
        fc_features: channels of fc6 and fc7.
        fc_kernel_size: side of the kernel of fc6; 7, for which the offsets are made.
        finest_stride: last stride that is added: 32, 16 or 8.
        at_once: see `FCNSkipHead`.
        learned_upsampling: trains the transposed convolutions, which start as interpolation.
        dropout_rate: share of the features dropped after fc6 and after fc7.
        upsample: `False` leaves out the last upsampling and its crop.
    """

    num_classes: int
    fc_features: int
    fc_kernel_size: int
    finest_stride: int
    at_once: bool
    learned_upsampling: bool
    dropout_rate: float
    upsample: bool

    @nn.compact
    def __call__(
        self, features: Features, size: tuple[int, int], *, train: bool
    ) -> Float[Array, "b h w {self.num_classes}"]:
        """Returns logits at image size.

        Args:
            features: maps of the padded image.
            size: (height, width) of the image before padding.
            train: drops features out.
        """
        fc6 = Conv(self.fc_features, self.fc_kernel_size, padding=0, name="fc6")
        scores = _score_coarsest(self, fc6, features[32], train=train)
        upsampled = "upscore2"
        for stride, name in _skips(self.finest_stride):
            scores = self._up(2, upsampled)(scores)
            skip = _score_skip(self, stride, name, features[stride])
            scores = scores + _crop(skip, _SKIP_CROPS[stride], scores.shape[1:3])
            upsampled = "upscore_pool4"
        if not self.upsample:
            return scores
        last = "upscore" if self.finest_stride == 32 else f"upscore{self.finest_stride}"
        scores = self._up(self.finest_stride, last)(scores)
        return _crop(scores, _FINAL_CROPS[self.finest_stride], size)

    def _up(self, factor: int, name: str) -> nn.Module:
        return BilinearUpConv(self.num_classes, factor, self.learned_upsampling, name=name)


def _skips(finest_stride: int) -> list[tuple[int, str]]:
    return [(stride, name) for stride, name in SKIPS.items() if stride >= finest_stride]


def _score_coarsest(
    head: FCNSkipHead | CroppingFCNSkipHead,
    fc6: Callable[[Array], Array],
    x: Float[Array, "b h w c"],
    *,
    train: bool,
) -> Array:
    x = Dropout(head.dropout_rate, deterministic=not train)(jax.nn.relu(fc6(x)))
    x = Conv(head.fc_features, 1, name="fc7")(x)
    x = Dropout(head.dropout_rate, deterministic=not train)(jax.nn.relu(x))
    return Conv(head.num_classes, 1, name="score_fr")(x)


def _score_skip(
    head: FCNSkipHead | CroppingFCNSkipHead, stride: int, name: str, x: Float[Array, "b h w c"]
) -> Array:
    # Zero at first, as in section 4.2: the net starts with the coarse prediction.
    score = Conv(head.num_classes, 1, kernel_init=nn.initializers.zeros, name=name)
    return score(x * _AT_ONCE_SCALES[stride] if head.at_once else x)


def _crop(x: Array, first: int, size: tuple[int, ...]) -> Array:
    return x[:, first : first + size[0], first : first + size[1]]
