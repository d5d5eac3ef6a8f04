"""DeepLabv3+ (Chen et al. 2018, arXiv:1802.02611): DeepLabv3 as the encoder of a light decoder."""

from collections.abc import Callable
from functools import partial

import flax.linen as nn

from seg_jax.heads.aspp import ASPP, check_atrous_rates
from seg_jax.heads.decoder import DeepLabDecoder
from seg_jax.heads.strides import require_strides
from seg_jax.layers.conv import Conv, ConvNormAct, linear
from seg_jax.layers.dropout import Dropout
from seg_jax.layers.norm import Norm, batch_norm, identity_norm
from seg_jax.layers.separable import SeparableConv
from seg_jax.models.outputs import ComputeDtype, auxiliary_scores, finish
from seg_jax.typing import Image, Outputs


class DeepLabV3Plus(nn.Module):
    """The network of figure 2.

    Attributes:
        backbone: factory taking `norm` and `name`; its module's `stages(image)` lists (output
            stride, features), deepest last, among them those of `low_level_strides`.
        num_classes: classes of the dataset, the ignore label not counted.
        atrous_rates: ASPP rates at the backbone's output stride: (6, 12, 18) at 16, double at 8.
        head_features: channels of the ASPP.
        decoder_features: channels of the decoder; `None` takes `head_features`.
        decoder_convs: convolutions of the decoder (table 2).
        decoder_kernel_size: side of their kernels.
        low_level_strides: strides of the features that decoders join, coarse to fine: (4,) for
            "Conv2", (8, 4) for "Conv2" and "Conv3" (table 2).
        low_level_features: channels kept of each (table 1).
        image_pooling: gives the ASPP its branch of the mean over the image.
        project_kernel_size: side of the kernel that projects the ASPP's branches; 3 in
            mmsegmentation.
        separable: makes the atrous and the decoder's convolutions
            depthwise separable.
        depthwise_norm: puts a norm and a ReLU between the halves of a separable convolution;
            segmentation-models-pytorch has neither.
        refine: puts a 3x3 convolution between ASPP and decoder, as
            segmentation-models-pytorch does; the paper has none.
        dropout_rate: share of the ASPP's features dropped.
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
    atrous_rates: tuple[int, ...] = (6, 12, 18)
    head_features: int = 256
    decoder_features: int | None = None
    decoder_convs: int = 2
    decoder_kernel_size: int = 3
    low_level_strides: tuple[int, ...] = (4,)
    low_level_features: int = 48
    image_pooling: bool = True
    project_kernel_size: int = 1
    separable: bool = True
    depthwise_norm: bool = True
    refine: bool = False
    dropout_rate: float = 0.1
    aux: bool = False
    aux_features: int = 256
    align_corners: bool = True
    upsample: bool = True
    dtype: ComputeDtype = "float32"
    norm: Callable[[bool], Norm] = batch_norm

    def __post_init__(self):
        check_atrous_rates(self.atrous_rates)
        super().__post_init__()

    @nn.compact
    def __call__(self, image: Image, *, train: bool) -> Outputs:
        """Returns logits at image size.

        Raises:
            ValueError: the backbone does not give one of `low_level_strides`.
        """
        norm, size, conv = self.norm(train), image.shape[1:3], self._conv()
        image = image.astype(self.dtype)
        stages = self.backbone(norm=norm, name="backbone").stages(image)
        features = dict(stages)
        require_strides(features, self.low_level_strides, model="deeplab_v3plus")
        x = ASPP(
            self.head_features,
            self.atrous_rates,
            conv,
            self.image_pooling,
            self.project_kernel_size,
            norm=norm,
            name="aspp",
        )(stages[-1][1])
        x = Dropout(self.dropout_rate, deterministic=not train)(x)
        if self.refine:
            x = conv(self.head_features, norm=norm, name="refine")(x)
        for i, stride in enumerate(self.low_level_strides):
            # Counted from the finest, which keeps its name where others come before it.
            place = len(self.low_level_strides) - i
            x = DeepLabDecoder(
                self.decoder_features or self.head_features,
                self.low_level_features,
                self.decoder_convs,
                self.decoder_kernel_size,
                self.align_corners,
                conv,
                norm=norm,
                name="decoder" if place == 1 else f"decoder{place}",
            )(x, features[stride])
        logits = Conv(self.num_classes, 1, name="classifier")(x)
        aux = auxiliary_scores(self, stages[-2][1], norm, train=train)
        return finish(logits, aux, size, align_corners=self.align_corners, upsample=self.upsample)

    def _conv(self) -> Callable[..., nn.Module]:
        if not self.separable:
            return ConvNormAct
        if self.depthwise_norm:
            return SeparableConv
        return partial(SeparableConv, depthwise_norm=identity_norm, depthwise_act=linear)
