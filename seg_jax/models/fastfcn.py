"""FastFCN (Wu et al. 2019, arXiv:1903.11816): a strided backbone, JPU, and a dense head."""

from collections.abc import Callable
from typing import Literal

import flax.linen as nn

from seg_jax.heads.aspp import check_atrous_rates
from seg_jax.heads.deeplab import DeepLabHead
from seg_jax.heads.fcn import FCNHead
from seg_jax.heads.jpu import JointPyramidUpsampling
from seg_jax.heads.strides import require_strides
from seg_jax.layers.norm import Norm, batch_norm
from seg_jax.layers.resize import resize_bilinear
from seg_jax.typing import Image, Outputs


class FastFCN(nn.Module):
    """The network of figure 2: the head sees stride 8 though the backbone runs at 32.

    Attributes:
        backbone: factory taking `norm` and `name`; its module's `stages(image)` lists (output
            stride, features), deepest last, with strides 8, 16 and 32.
        num_classes: classes of the dataset, the ignore label not counted.
        head: "fcn", the `FCNHead`; or "aspp", the head of DeepLabv3 with a 3x3 convolution
            in front of the classifier.
        head_features: channels inside the head; the authors take 512 for "fcn", 256 for "aspp".
        jpu_features: channels per stage and per rate of the JPU.
        atrous_rates: ASPP rates at stride 8, read by the head "aspp".
        dropout_rate: share of the features dropped inside the heads.
        aux: adds an `FCNHead` on stride 16, as `Outputs.aux["aux"]`, in training and
            evaluation alike: unused logits cost nothing in a compiled function.
        aux_features: channels of that head's 3x3 convolution.
        align_corners: convention of every interpolation.
        norm: maps `train` to a normalisation factory.
    """

    backbone: Callable[..., nn.Module]
    num_classes: int
    head: Literal["fcn", "aspp"] = "fcn"
    head_features: int = 512
    jpu_features: int = 512
    atrous_rates: tuple[int, ...] = (12, 24, 36)
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
            ValueError: the backbone does not give strides 8, 16 and 32.
        """
        norm, size = self.norm(train), image.shape[1:3]
        features = self.backbone(norm=norm, name="backbone")(image)
        require_strides(features, (8, 16, 32), model="fastfcn")
        x = JointPyramidUpsampling(self.jpu_features, self.align_corners, norm=norm, name="jpu")(
            features
        )
        if self.head == "fcn":
            head = FCNHead(
                self.num_classes, self.head_features, self.dropout_rate, norm=norm, name="head"
            )
        else:
            head = DeepLabHead(
                self.num_classes,
                self.head_features,
                self.atrous_rates,
                refine=True,
                dropout_rate=self.dropout_rate,
                norm=norm,
                name="head",
            )
        logits = head(x, train=train)
        aux = {}
        if self.aux:
            head = FCNHead(
                self.num_classes, self.aux_features, self.dropout_rate, norm=norm, name="aux"
            )
            scores = head(features[16], train=train)
            aux["aux"] = resize_bilinear(scores, size, align_corners=self.align_corners)
        return Outputs(resize_bilinear(logits, size, align_corners=self.align_corners), aux)
