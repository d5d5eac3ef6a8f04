"""The "FCN" of torchvision and mmsegmentation: an atrous backbone, convolutions, a classifier.

It shares its name with Long et al. 2015 and nothing else: no skips, output stride 8.
"""

from collections.abc import Callable

import flax.linen as nn

from seg_jax.heads.fcn import FCNHead
from seg_jax.layers.norm import Norm, batch_norm
from seg_jax.models.outputs import ComputeDtype, auxiliary_scores, finish
from seg_jax.typing import Image, Outputs


class FCNDilated(nn.Module):
    """An `FCNHead` on the last stage, and another on an earlier one.

    Attributes:
        backbone: factory taking `norm` and `name`; its module's `stages(image)` lists (output
            stride, features), deepest last.
        num_classes: classes of the dataset, the ignore label not counted.
        head_features: channels of the head's 3x3 convolutions; both libraries take a quarter
            of the backbone's.
        num_convs: 3x3 convolutions of the head: 1 in torchvision, 2 in mmsegmentation.
        concat_input: joins the backbone's features to theirs, as mmsegmentation does.
        dropout_rate: share of the features dropped in front of the classifiers.
        aux: adds an `FCNHead` on the last stage but one, as `Outputs.aux["aux"]`, in training
            and evaluation alike: unused logits cost nothing in a compiled function.
        aux_features: channels of that head's 3x3 convolution.
        align_corners: convention of the interpolation to image size.
        upsample: resizes scores to the image; `False` returns those of the head's resolution.
        dtype: type in which the network computes; parameters and logits are float32.
        norm: maps `train` to a normalisation factory.
    """

    backbone: Callable[..., nn.Module]
    num_classes: int
    head_features: int = 512
    num_convs: int = 1
    concat_input: bool = False
    dropout_rate: float = 0.1
    aux: bool = False
    aux_features: int = 256
    align_corners: bool = False
    upsample: bool = True
    dtype: ComputeDtype = "float32"
    norm: Callable[[bool], Norm] = batch_norm

    @nn.compact
    def __call__(self, image: Image, *, train: bool) -> Outputs:
        """Returns logits at image size."""
        norm, size = self.norm(train), image.shape[1:3]
        image = image.astype(self.dtype)
        stages = self.backbone(norm=norm, name="backbone").stages(image)
        logits = FCNHead(
            self.num_classes,
            self.head_features,
            self.dropout_rate,
            self.num_convs,
            self.concat_input,
            norm=norm,
            name="head",
        )(stages[-1][1], train=train)
        aux = auxiliary_scores(self, stages[-2][1], norm, train=train)
        return finish(logits, aux, size, align_corners=self.align_corners, upsample=self.upsample)
