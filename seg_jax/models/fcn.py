"""FCN-32s, -16s and -8s (Long, Shelhamer, Darrell 2015, arXiv:1411.4038, section 4, figure 3).

The paper's network is this one over VGG-16 with 4096 features and a 7x7 fc6. Its Caffe
networks pad the image by 100 pixels so that fc6 may be unpadded, and crop what is too much:
`fixed_crops=True`. Without it every convolution pads itself, and resizing fits the maps onto
each other, which costs less and serves any backbone.

FCN-16s starts from a trained FCN-32s, FCN-8s from a trained FCN-16s: set `config.weights.name`
to "trained" and `config.weights.path` to the coarser trial. `at_once=True` trains FCN-8s
without them (Shelhamer et al. 2017, arXiv:1605.06211, section 4.3).
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

import flax.linen as nn
import jax.numpy as jnp

from seg_jax.heads.fcn_skips import CroppingFCNSkipHead, FCNSkipHead
from seg_jax.heads.strides import require_strides
from seg_jax.layers.norm import Norm, batch_norm
from seg_jax.models.outputs import ComputeDtype, finish
from seg_jax.typing import Image, Outputs

_PADDING = 100
"""Pixels of zeros around the image, those that the first 3x3 convolution adds included."""


class FCN(nn.Module):
    """Skip fusion from stride 32 to `finest_stride`, over any backbone.

    Attributes:
        backbone: factory taking `norm` and `name`; its module maps an image to
            {output stride: features} with strides 8, 16 and 32.
        num_classes: classes of the dataset, the ignore label not counted.
        finest_stride: stride of the last skip.
        fc_features: channels of fc6 and fc7.
        fc_kernel_size: odd side of the kernel of fc6.
        at_once: scales the skips of pool4 and pool3 by 0.01 and 0.0001.
        fixed_crops: pads and crops as the authors' Caffe networks do; for `vgg16`.
        learned_upsampling: trains the transposed convolutions of `fixed_crops`; the authors'
            networks keep them fixed, the paper's text trains all but the last.
        dropout_rate: share of the features dropped after fc6 and after fc7.
        align_corners: convention of every interpolation; `False` samples as the bilinear
            transposed convolutions of the paper do.
        upsample: resizes scores to the image; `False` returns those of `finest_stride`.
        dtype: type in which the network computes; parameters and logits are float32.
        norm: maps `train` to a normalisation factory, for the backbone; the head has none.
    """

    backbone: Callable[..., nn.Module]
    num_classes: int
    finest_stride: Literal[32, 16, 8]
    fc_features: int = 4096
    fc_kernel_size: int = 7
    at_once: bool = False
    fixed_crops: bool = False
    learned_upsampling: bool = False
    dropout_rate: float = 0.5
    align_corners: bool = False
    upsample: bool = True
    dtype: ComputeDtype = "float32"
    norm: Callable[[bool], Norm] = batch_norm

    def __post_init__(self):
        if self.fixed_crops and self.fc_kernel_size != 7:
            raise ValueError(
                f"config.model.fc_kernel_size={self.fc_kernel_size} does not go with "
                f"config.model.fixed_crops=True, whose offsets are made for 7. Set one of the two."
            )
        if self.learned_upsampling and not self.fixed_crops:
            raise ValueError(
                "config.model.learned_upsampling=True trains the transposed convolutions that "
                "only config.model.fixed_crops=True has. Set both, or neither."
            )
        super().__post_init__()

    @nn.compact
    def __call__(self, image: Image, *, train: bool) -> Outputs:
        """Returns logits at image size.

        Raises:
            ValueError: the backbone does not give strides 8, 16 and 32.
        """
        height, width = size = image.shape[1:3]
        x = image.astype(self.dtype)
        if self.fixed_crops:
            # The first convolution adds the last of them.
            pads = (_PADDING - 1, _PADDING - 1)
            x = jnp.pad(x, ((0, 0), pads, pads, (0, 0)))
        features = self.backbone(norm=self.norm(train), name="backbone")(x)
        require_strides(features, (8, 16, 32), model=f"fcn{self.finest_stride}s")
        if self.fixed_crops:
            head = CroppingFCNSkipHead(
                self.num_classes,
                self.fc_features,
                self.fc_kernel_size,
                self.finest_stride,
                self.at_once,
                self.learned_upsampling,
                self.dropout_rate,
                self.upsample,
                name="head",
            )
            return Outputs(head(features, (height, width), train=train).astype(jnp.float32))
        head = FCNSkipHead(
            self.num_classes,
            self.fc_features,
            self.fc_kernel_size,
            self.finest_stride,
            self.at_once,
            self.dropout_rate,
            self.align_corners,
            name="head",
        )
        logits = head(features, train=train)
        return finish(logits, {}, size, align_corners=self.align_corners, upsample=self.upsample)


fcn32s = partial(FCN, finest_stride=32)
fcn16s = partial(FCN, finest_stride=16)
fcn8s = partial(FCN, finest_stride=8)
