"""DeepLab v2 (Chen et al. 2017, arXiv:1606.00915): atrous spatial pyramid pooling by a sum.

`atrous_rates` are (6, 12, 18, 24) for "ASPP-L", (2, 4, 8, 12) for "ASPP-S" and (12,) for
"LargeFOV" (section 4.1.2); over `vgg16` with `pool_window=3` the branches have
`fc_features=1024`. The dense CRF is a step of the evaluation.
"""

import functools
from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from seg_jax.heads.aspp import check_atrous_rates
from seg_jax.heads.aspp_sum import SummedASPP
from seg_jax.layers.norm import Norm, batch_norm
from seg_jax.layers.resize import resize_bilinear
from seg_jax.models.outputs import ComputeDtype, finish
from seg_jax.typing import Image, Outputs


class DeepLabV2(nn.Module):
    """An atrous backbone and an ASPP, on one scale of the image or on several.

    Attributes:
        backbone: factory taking `norm` and `name`; its module's `stages(image)` lists (output
            stride, features), deepest last.
        num_classes: classes of the dataset, the ignore label not counted.
        atrous_rates: rates of the branches at output stride 8.
        fc_features: channels of fc6 and fc7 in every branch; `None`, as over ResNet-101, for
            branches of one convolution.
        scales: smaller scales at which the same network sees the image; scores are the
            maximum over them and the image itself (section 4.1.2, "MSC": 0.5 and 0.75). The
            scores of every scale are auxiliary outputs, for the paper trains each of them.
        dropout_rate: share of the features dropped after fc6 and after fc7.
        align_corners: convention of the interpolation to image size.
        upsample: resizes scores to the image; `False` returns those of the head's resolution.
        dtype: type in which the network computes; parameters and logits are float32.
        norm: maps `train` to a normalisation factory, for backbones that have one.
    """

    backbone: Callable[..., nn.Module]
    num_classes: int
    atrous_rates: tuple[int, ...] = (6, 12, 18, 24)
    fc_features: int | None = None
    scales: tuple[float, ...] = ()
    dropout_rate: float = 0.5
    align_corners: bool = True
    upsample: bool = True
    dtype: ComputeDtype = "float32"
    norm: Callable[[bool], Norm] = batch_norm

    def __post_init__(self):
        check_atrous_rates(self.atrous_rates)
        if not self.atrous_rates:
            raise ValueError(
                "config.model.atrous_rates=() leaves deeplab_v2 without a branch; set it to one "
                "rate or more, such as (6, 12, 18, 24)."
            )
        if any(not 0 < scale < 1 for scale in self.scales):
            raise ValueError(
                f"config.model.scales={self.scales!r} holds a scale outside (0, 1); the image "
                f"itself is always among them. Set it to smaller ones such as (0.5, 0.75)."
            )
        super().__post_init__()

    @nn.compact
    def __call__(self, image: Image, *, train: bool) -> Outputs:
        """Returns logits at image size."""
        size = image.shape[1:3]
        backbone = self.backbone(norm=self.norm(train), name="backbone")
        head = SummedASPP(
            self.num_classes, self.atrous_rates, self.fc_features, self.dropout_rate, name="head"
        )

        def score(image: Image) -> Array:
            return head(backbone.stages(image.astype(self.dtype))[-1][1], train=train)

        logits = score(image)
        aux = {}
        for scale in self.scales:
            smaller = (max(int(size[0] * scale), 1), max(int(size[1] * scale), 1))
            # The grid is that of the scale, not of the rounded size, as PyTorch samples it.
            scaled = resize_bilinear(image, smaller, align_corners=False, scale=scale)
            aux[f"scale_{scale:g}"] = score(scaled)
        if aux:
            aux["scale_1"] = logits
            fit = functools.partial(resize_bilinear, size=logits.shape[1:3], align_corners=False)
            logits = functools.reduce(jnp.maximum, [fit(scores) for scores in aux.values()])
        return finish(logits, aux, size, align_corners=self.align_corners, upsample=self.upsample)
