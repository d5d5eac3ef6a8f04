"""DeepLabv3 (Chen et al. 2017, arXiv:1706.05587): atrous backbone, ASPP, one classifier.

The paper's multi-grid (section 3.2) and the blocks 5 to 7 of its cascaded form (section 3.2.1)
are fields of the ResNet backbone; that form has `aspp=False`.
"""

from collections.abc import Callable

import flax.linen as nn

from seg_jax.heads.aspp import check_atrous_rates
from seg_jax.heads.deeplab import DeepLabHead
from seg_jax.layers.conv import Conv
from seg_jax.layers.norm import Norm, batch_norm
from seg_jax.models.outputs import ComputeDtype, auxiliary_scores, finish
from seg_jax.typing import Image, Outputs


class DeepLabV3(nn.Module):
    """The network of figure 5.

    Attributes:
        backbone: factory taking `norm` and `name`; its module's `stages(image)` lists (output
            stride, features), deepest last.
        num_classes: classes of the dataset, the ignore label not counted.
        atrous_rates: ASPP rates at the backbone's output stride: (6, 12, 18) at 16, double at 8.
        aspp: `False` classifies the backbone's features as they are, as the cascaded form does.
        image_pooling: gives the ASPP its branch of the mean over the image.
        project_kernel_size: side of the kernel that projects the ASPP's branches; 3 in
            mmsegmentation.
        head_features: channels inside the head.
        refine: puts a 3x3 convolution between the ASPP and the classifier, as torchvision and
            the authors of FastFCN do; the paper has none.
        dropout_rate: share of the ASPP's features dropped.
        aux: adds an `FCNHead` on an earlier stage, as `Outputs.aux["aux"]`, in training
            and evaluation alike: unused logits cost nothing in a compiled function.
        aux_features: channels of that head's 3x3 convolution.
        aux_stage: index of the stage it reads, counted as Python does.
        align_corners: convention of the interpolation to image size.
        upsample: resizes scores to the image; `False` returns those of the head's resolution.
        dtype: type in which the network computes; parameters and logits are float32.
        norm: maps `train` to a normalisation factory.
    """

    backbone: Callable[..., nn.Module]
    num_classes: int
    atrous_rates: tuple[int, ...] = (6, 12, 18)
    aspp: bool = True
    image_pooling: bool = True
    project_kernel_size: int = 1
    head_features: int = 256
    refine: bool = False
    dropout_rate: float = 0.1
    aux: bool = False
    aux_features: int = 256
    aux_stage: int = -2
    align_corners: bool = True
    upsample: bool = True
    dtype: ComputeDtype = "float32"
    norm: Callable[[bool], Norm] = batch_norm

    def __post_init__(self):
        check_atrous_rates(self.atrous_rates)
        super().__post_init__()

    @nn.compact
    def __call__(self, image: Image, *, train: bool) -> Outputs:
        """Returns logits at image size."""
        norm, size = self.norm(train), image.shape[1:3]
        image = image.astype(self.dtype)
        stages = self.backbone(norm=norm, name="backbone").stages(image)
        if self.aspp:
            head = DeepLabHead(
                self.num_classes,
                self.head_features,
                self.atrous_rates,
                self.refine,
                self.dropout_rate,
                self.image_pooling,
                self.project_kernel_size,
                norm=norm,
                name="head",
            )
            logits = head(stages[-1][1], train=train)
        else:
            logits = Conv(self.num_classes, 1, name="classifier")(stages[-1][1])
        aux = auxiliary_scores(self, stages[self.aux_stage][1], norm, train=train)
        return finish(logits, aux, size, align_corners=self.align_corners, upsample=self.upsample)
