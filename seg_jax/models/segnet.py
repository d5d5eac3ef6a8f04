"""SegNet (Badrinarayanan, Kendall, Cipolla 2017, arXiv:1511.00561, section 3, figure 2).

The encoder is the thirteen convolutions of VGG-16 with norms; the decoder mirrors it and upsamples
with the indices that the encoder's poolings remembered.
"""

from collections.abc import Callable

import flax.linen as nn

from seg_jax.layers.conv import Conv, ConvNormAct
from seg_jax.layers.norm import Norm, batch_norm
from seg_jax.layers.unpool import max_pool_indices, max_unpool
from seg_jax.models.outputs import ComputeDtype, finish
from seg_jax.typing import Image, Outputs

_CONVS = (2, 2, 3, 3, 3)
_CHANNELS = (64, 128, 256, 512, 512)


class SegNet(nn.Module):
    """Five stages down, five up, a classifier at full resolution.

    Attributes:
        num_classes: classes of the dataset, the ignore label not counted.
        width: multiplies every channel count.
        classifier_kernel_size: side of the classifier's kernel; 3 in the authors' release.
        dtype: type in which the network computes; parameters and logits are float32.
        norm: maps `train` to a normalisation factory.
    """

    num_classes: int
    width: float = 1.0
    classifier_kernel_size: int = 3
    dtype: ComputeDtype = "float32"
    norm: Callable[[bool], Norm] = batch_norm

    @nn.compact
    def __call__(self, image: Image, *, train: bool) -> Outputs:
        """Returns logits at image size."""
        norm, size = self.norm(train), image.shape[1:3]
        x, remembered = image.astype(self.dtype), []
        channels = [max(round(count * self.width), 1) for count in _CHANNELS]
        for i, (count, features) in enumerate(zip(_CONVS, channels, strict=True), start=1):
            for j in range(1, count + 1):
                name = f"encoder_conv{i}_{j}"
                x = ConvNormAct(features, use_bias=True, norm=norm, name=name)(x)
            before = x.shape[1:3]
            x, mask = max_pool_indices(x)
            remembered.append((mask, before))
        for i, (mask, before) in reversed(list(enumerate(remembered, start=1))):
            x = max_unpool(x, mask, before)
            # The last convolution of a stage gives the channels of the next; the first stage's
            # is the classifier.
            for j in range(_CONVS[i - 1], 0 if i > 1 else 1, -1):
                features = channels[i - 1] if j > 1 else channels[i - 2]
                name = f"decoder_conv{i}_{j}"
                x = ConvNormAct(features, use_bias=True, norm=norm, name=name)(x)
        logits = Conv(self.num_classes, self.classifier_kernel_size, name="classifier")(x)
        return finish(logits, {}, size, align_corners=False, upsample=True)
