"""FCN-8s (Long, Shelhamer, Darrell 2015, arXiv:1411.4038, section 4, figure 3).

The paper's network is this one over VGG-16 with 4096 features and a 7x7 fc6. It pads the
image by 100 pixels so that fc6 may be unpadded, and crops what is too much; here every
convolution pads itself, which gives logits at any size without fixed crops.
"""

from collections.abc import Callable

import flax.linen as nn

from seg_jax.heads.fcn import FCNSkipHead
from seg_jax.heads.strides import require_strides
from seg_jax.layers.norm import Norm, batch_norm
from seg_jax.layers.resize import resize_bilinear
from seg_jax.typing import Image, Outputs


class FCN8s(nn.Module):
    """Skip fusion of strides 32, 16 and 8 of any backbone.

    Attributes:
        backbone: factory taking `norm` and `name`; its module maps an image to
            {output stride: features} with strides 8, 16 and 32.
        num_classes: classes of the dataset, the ignore label not counted.
        fc_features: channels of fc6 and fc7.
        fc_kernel_size: odd side of the kernel of fc6.
        dropout_rate: share of the features dropped after fc6 and after fc7.
        align_corners: convention of every interpolation; `False` samples as the bilinear
            transposed convolutions of the paper do.
        norm: maps `train` to a normalisation factory, for the backbone; the head has none.
    """

    backbone: Callable[..., nn.Module]
    num_classes: int
    fc_features: int = 4096
    fc_kernel_size: int = 7
    dropout_rate: float = 0.5
    align_corners: bool = False
    norm: Callable[[bool], Norm] = batch_norm

    @nn.compact
    def __call__(self, image: Image, *, train: bool) -> Outputs:
        """Returns logits at image size.

        Raises:
            ValueError: the backbone does not give strides 8, 16 and 32.
        """
        features = self.backbone(norm=self.norm(train), name="backbone")(image)
        require_strides(features, (8, 16, 32), model="fcn8s")
        logits = FCNSkipHead(
            self.num_classes,
            self.fc_features,
            self.fc_kernel_size,
            self.dropout_rate,
            self.align_corners,
            name="head",
        )(features, train=train)
        size = image.shape[1:3]
        return Outputs(resize_bilinear(logits, size, align_corners=self.align_corners))
