"""DeepLabv3+ (Chen et al. 2018, arXiv:1802.02611): DeepLabv3 as the encoder of a light decoder."""

from collections.abc import Callable
from functools import partial

import flax.linen as nn

from seg_jax.heads.aspp import ASPP, check_atrous_rates
from seg_jax.heads.decoder import DeepLabDecoder
from seg_jax.heads.fcn import FCNHead
from seg_jax.heads.strides import require_strides
from seg_jax.layers.conv import Conv, ConvNormAct, linear
from seg_jax.layers.norm import Norm, batch_norm, identity_norm
from seg_jax.layers.resize import resize_bilinear
from seg_jax.layers.separable import SeparableConv
from seg_jax.typing import Image, Outputs


class DeepLabV3Plus(nn.Module):
    """The network of figure 2; the decoder reads stride 4.

    Attributes:
        backbone: factory taking `norm` and `name`; its module's `stages(image)` lists (output
            stride, features), deepest last, one of them at stride 4.
        num_classes: classes of the dataset, the ignore label not counted.
        atrous_rates: ASPP rates at the backbone's output stride: (6, 12, 18) at 16, double at 8.
        head_features: channels of the ASPP and of the decoder.
        low_level_features: channels the decoder keeps of stride 4.
        decoder_convs: 3x3 convolutions of the decoder.
        separable: makes the 3x3 convolutions of ASPP and decoder depthwise separable.
        depthwise_norm: puts a norm and a ReLU between the halves of a separable convolution;
            segmentation-models-pytorch has neither.
        refine: puts a 3x3 convolution between ASPP and decoder, as
            segmentation-models-pytorch does; the paper has none.
        dropout_rate: share of the ASPP's features dropped.
        aux: adds an `FCNHead` on the last stage but one, as `Outputs.aux["aux"]`, in training
            and evaluation alike: unused logits cost nothing in a compiled function.
        aux_features: channels of that head's 3x3 convolution.
        align_corners: convention of every interpolation.
        norm: maps `train` to a normalisation factory.
    """

    backbone: Callable[..., nn.Module]
    num_classes: int
    atrous_rates: tuple[int, ...] = (6, 12, 18)
    head_features: int = 256
    low_level_features: int = 48
    decoder_convs: int = 2
    separable: bool = True
    depthwise_norm: bool = True
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
        """Returns logits at image size.

        Raises:
            ValueError: the backbone does not give stride 4.
        """
        norm, size, conv = self.norm(train), image.shape[1:3], self._conv()
        stages = self.backbone(norm=norm, name="backbone").stages(image)
        features = dict(stages)
        require_strides(features, (4,), model="deeplab_v3plus")
        x = ASPP(self.head_features, self.atrous_rates, conv, norm=norm, name="aspp")(stages[-1][1])
        x = nn.Dropout(self.dropout_rate, deterministic=not train)(x)
        if self.refine:
            x = conv(self.head_features, norm=norm, name="refine")(x)
        x = DeepLabDecoder(
            self.head_features,
            self.low_level_features,
            self.decoder_convs,
            self.align_corners,
            conv,
            norm=norm,
            name="decoder",
        )(x, features[4])
        logits = Conv(self.num_classes, 1, name="classifier")(x)
        aux = {}
        if self.aux:
            head = FCNHead(
                self.num_classes, self.aux_features, self.dropout_rate, norm=norm, name="aux"
            )
            scores = head(stages[-2][1], train=train)
            aux["aux"] = resize_bilinear(scores, size, align_corners=self.align_corners)
        return Outputs(resize_bilinear(logits, size, align_corners=self.align_corners), aux)

    def _conv(self) -> Callable[..., nn.Module]:
        if not self.separable:
            return ConvNormAct
        if self.depthwise_norm:
            return SeparableConv
        return partial(SeparableConv, depthwise_norm=identity_norm, depthwise_act=linear)
