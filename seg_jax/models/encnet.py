"""EncNet (Zhang et al. 2018, arXiv:1803.08904): atrous backbone and context encoding."""

from collections.abc import Callable

import flax.linen as nn

from seg_jax.heads.encoding import EncHead
from seg_jax.layers.norm import Norm, batch_norm
from seg_jax.models.outputs import ComputeDtype, auxiliary_scores, finish
from seg_jax.typing import Image, Outputs


class EncNet(nn.Module):
    """The network of figure 3.

    Attributes:
        backbone: factory taking `norm` and `name`; its module's `stages(image)` lists (output
            stride, features), deepest last.
        num_classes: classes of the dataset, the ignore label not counted.
        head_features: channels inside the head.
        num_codes: codewords of the encoding.
        presence: predicts which classes the image shows, `Outputs.presence`, for the paper's
            semantic encoding loss (section 3.1, "SE-loss").
        lateral: joins the two stages before the last in front of the encoding, as the authors'
            code does over ResNet-101.
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
    head_features: int = 512
    num_codes: int = 32
    presence: bool = True
    lateral: bool = False
    dropout_rate: float = 0.1
    aux: bool = False
    aux_features: int = 256
    align_corners: bool = True
    upsample: bool = True
    dtype: ComputeDtype = "float32"
    norm: Callable[[bool], Norm] = batch_norm

    @nn.compact
    def __call__(self, image: Image, *, train: bool) -> Outputs:
        """Returns logits at image size."""
        norm, size = self.norm(train), image.shape[1:3]
        image = image.astype(self.dtype)
        stages = self.backbone(norm=norm, name="backbone").stages(image)
        logits, presence = EncHead(
            self.num_classes,
            self.head_features,
            self.dropout_rate,
            num_codes=self.num_codes,
            presence=self.presence,
            lateral=self.lateral,
            align_corners=self.align_corners,
            norm=norm,
            name="head",
        )(stages[-1][1], [x for _, x in stages[-3:-1]], train=train)
        aux = auxiliary_scores(self, stages[-2][1], norm, train=train)
        return finish(
            logits,
            aux,
            size,
            align_corners=self.align_corners,
            upsample=self.upsample,
            presence=presence,
        )
