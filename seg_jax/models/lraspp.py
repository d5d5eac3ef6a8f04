"""LR-ASPP (Howard et al. 2019, arXiv:1905.02244, section 6.4): the mobile network of MobileNetV3.

torchvision's departs from figure 10 by pooling the whole image where the paper pools 49x49 cells.
"""

from collections.abc import Callable

import flax.linen as nn

from seg_jax.heads.lraspp import LRASPPHead
from seg_jax.heads.strides import require_strides
from seg_jax.layers.norm import Norm, batch_norm
from seg_jax.models.outputs import ComputeDtype, finish
from seg_jax.typing import Image, Outputs


class LRASPP(nn.Module):
    """An atrous backbone and the lite reduced ASPP.

    Attributes:
        backbone: factory taking `norm` and `name`; its module's `stages(image)` lists (output
            stride, features), deepest last, one of them at stride 8.
        num_classes: classes of the dataset, the ignore label not counted.
        head_features: channels of the gated features.
        low_level_stage: index of the stage whose scores are added, counted as Python does;
            `None` takes the last of stride 8. torchvision takes 4 of MobileNetV3-Large.
        align_corners: convention of every interpolation.
        upsample: resizes scores to the image; `False` returns those of stride 8.
        dtype: type in which the network computes; parameters and logits are float32.
        norm: maps `train` to a normalisation factory.
    """

    backbone: Callable[..., nn.Module]
    num_classes: int
    head_features: int = 128
    low_level_stage: int | None = None
    align_corners: bool = False
    upsample: bool = True
    dtype: ComputeDtype = "float32"
    norm: Callable[[bool], Norm] = batch_norm

    @nn.compact
    def __call__(self, image: Image, *, train: bool) -> Outputs:
        """Returns logits at image size.

        Raises:
            ValueError: the backbone does not give stride 8.
        """
        norm, size = self.norm(train), image.shape[1:3]
        image = image.astype(self.dtype)
        stages = self.backbone(norm=norm, name="backbone").stages(image)
        if self.low_level_stage is None:
            require_strides(dict(stages), (8,), model="lraspp")
            low_level = dict(stages)[8]
        else:
            low_level = stages[self.low_level_stage][1]
        logits = LRASPPHead(
            self.num_classes, self.head_features, self.align_corners, norm=norm, name="head"
        )(stages[-1][1], low_level)
        return finish(logits, {}, size, align_corners=self.align_corners, upsample=self.upsample)
