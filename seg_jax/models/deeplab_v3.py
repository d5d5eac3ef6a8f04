"""DeepLabv3 (Chen et al. 2017, arXiv:1706.05587): atrous backbone, ASPP, one classifier.

The paper's multi-grid (section 3.2) is a field of the ResNet backbone.
"""

from collections.abc import Callable

import flax.linen as nn

from seg_jax.heads.aspp import check_atrous_rates
from seg_jax.heads.deeplab import DeepLabHead
from seg_jax.heads.fcn import FCNHead
from seg_jax.layers.norm import Norm, batch_norm
from seg_jax.layers.resize import resize_bilinear
from seg_jax.typing import Image, Outputs


class DeepLabV3(nn.Module):
    """The network of figure 5.

    Attributes:
        backbone: factory taking `norm` and `name`; its module's `stages(image)` lists (output
            stride, features), deepest last.
        num_classes: classes of the dataset, the ignore label not counted.
        atrous_rates: ASPP rates at the backbone's output stride: (6, 12, 18) at 16, double at 8.
        head_features: channels inside the head.
        refine: puts a 3x3 convolution between the ASPP and the classifier, as torchvision and
            the authors of FastFCN do; the paper has none.
        dropout_rate: share of the ASPP's features dropped.
        aux: adds an `FCNHead` on the last stage but one, as `Outputs.aux["aux"]`, in training
            and evaluation alike: unused logits cost nothing in a compiled function.
        aux_features: channels of that head's 3x3 convolution.
        align_corners: convention of the interpolation to image size.
        norm: maps `train` to a normalisation factory.
    """

    backbone: Callable[..., nn.Module]
    num_classes: int
    atrous_rates: tuple[int, ...] = (6, 12, 18)
    head_features: int = 256
    refine: bool = False
    dropout_rate: float = 0.1
    aux: bool = False
    aux_features: int = 256
    align_corners: bool = True
    norm: Callable[[bool], Norm] = batch_norm

    def __post_init__(self):
        check_atrous_rates(self.atrous_rates)
        super().__post_init__()

    @nn.compact
    def __call__(self, image: Image, *, train: bool) -> Outputs:
        """Returns logits at image size."""
        norm, size = self.norm(train), image.shape[1:3]
        stages = self.backbone(norm=norm, name="backbone").stages(image)
        logits = DeepLabHead(
            self.num_classes,
            self.head_features,
            self.atrous_rates,
            self.refine,
            self.dropout_rate,
            norm=norm,
            name="head",
        )(stages[-1][1], train=train)
        aux = {}
        if self.aux:
            head = FCNHead(
                self.num_classes, self.aux_features, self.dropout_rate, norm=norm, name="aux"
            )
            scores = head(stages[-2][1], train=train)
            aux["aux"] = resize_bilinear(scores, size, align_corners=self.align_corners)
        return Outputs(resize_bilinear(logits, size, align_corners=self.align_corners), aux)
