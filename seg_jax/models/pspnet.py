"""PSPNet (Zhao et al. 2017, arXiv:1612.01105): atrous backbone and pyramid pooling."""

from collections.abc import Callable

import flax.linen as nn

from seg_jax.heads.psp import PSPHead
from seg_jax.heads.strides import require_strides
from seg_jax.layers.norm import Norm, batch_norm
from seg_jax.models.outputs import ComputeDtype, auxiliary_scores, finish
from seg_jax.typing import Image, Outputs


class PSPNet(nn.Module):
    """The network of figure 3; the paper's auxiliary loss (section 3.3) is `aux`.

    Attributes:
        backbone: factory taking `norm` and `name`; its module's `stages(image)` lists (output
            stride, features), deepest last.
        num_classes: classes of the dataset, the ignore label not counted.
        bins: regions per side of each grid that is averaged over.
        bin_features: channels of each grid's projection; `None` divides those of the backbone
            by the number of grids, as the paper does; mmsegmentation takes 512.
        norm_pooled: `False` gives the 1x1 grid's projection a bias in place of its norm, as
            segmentation-models-pytorch does.
        head_features: channels of the convolution after the pooling.
        head_kernel_size: side of its kernel; 1 in segmentation-models-pytorch.
        classifier_kernel_size: side of the classifier's kernel; 3 there.
        head_stride: stride of the features that are pooled; `None` takes the last stage's.
            segmentation-models-pytorch reads stride 8 of a strided backbone.
        dropout_rate: share of the features dropped inside the heads.
        aux: adds an `FCNHead` on the last stage but one, as `Outputs.aux["aux"]`, in training
            and evaluation alike: unused logits cost nothing in a compiled function.
        aux_features: channels of that head's 3x3 convolution.
        align_corners: convention of every interpolation.
        upsample: resizes scores to the image; `False` returns those of the head's resolution.
        dtype: type in which the network computes; parameters and logits are float32.
        norm: maps `train` to a normalisation factory.
    """

    backbone: Callable[..., nn.Module]
    num_classes: int
    bins: tuple[int, ...] = (1, 2, 3, 6)
    bin_features: int | None = None
    norm_pooled: bool = True
    head_features: int = 512
    head_kernel_size: int = 3
    classifier_kernel_size: int = 1
    head_stride: int | None = None
    dropout_rate: float = 0.1
    aux: bool = False
    aux_features: int = 256
    align_corners: bool = True
    upsample: bool = True
    dtype: ComputeDtype = "float32"
    norm: Callable[[bool], Norm] = batch_norm

    def __post_init__(self):
        if not self.bins or min(self.bins) < 1:
            raise ValueError(
                f"config.model.bins={self.bins!r} is not a non-empty tuple of positive integers; "
                f"set it to one such as (1, 2, 3, 6)."
            )
        super().__post_init__()

    @nn.compact
    def __call__(self, image: Image, *, train: bool) -> Outputs:
        """Returns logits at image size.

        Raises:
            ValueError: the backbone does not give `head_stride`.
        """
        norm, size = self.norm(train), image.shape[1:3]
        image = image.astype(self.dtype)
        stages = self.backbone(norm=norm, name="backbone").stages(image)
        x = stages[-1][1]
        if self.head_stride is not None:
            require_strides(dict(stages), (self.head_stride,), model="pspnet")
            x = dict(stages)[self.head_stride]
        logits = PSPHead(
            self.num_classes,
            self.head_features,
            self.dropout_rate,
            self.align_corners,
            self.bins,
            self.bin_features,
            self.norm_pooled,
            self.head_kernel_size,
            self.classifier_kernel_size,
            norm=norm,
            name="head",
        )(x, train=train)
        aux = auxiliary_scores(self, stages[-2][1], norm, train=train)
        return finish(logits, aux, size, align_corners=self.align_corners, upsample=self.upsample)
