"""DeepLab v1 (Chen et al. 2015, arXiv:1412.7062): atrous VGG-16 with a chosen field of view.

The paper's networks have the backbone `vgg16` at output stride 8 with `pool_window=3`; the
variants of its table 2 are (fc_kernel_size, fc_rate, fc_features) = (7, 4, 4096) "7x7",
(4, 4, 4096), (4, 8, 4096) "4x4" and (3, 12, 1024) "LargeFOV". The dense CRF is a step of the
evaluation.
"""

from collections.abc import Callable, Sequence
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from seg_jax.heads.largefov import FieldOfView
from seg_jax.layers.conv import Conv
from seg_jax.layers.dropout import Dropout
from seg_jax.layers.init import normal
from seg_jax.layers.norm import Norm, batch_norm
from seg_jax.models.outputs import ComputeDtype, finish
from seg_jax.typing import Image, Outputs


class DeepLabV1(nn.Module):
    """An atrous backbone, fc6 and fc7 as convolutions, and one classifier.

    Attributes:
        backbone: factory taking `norm` and `name`; its module's `stages(image)` lists (output
            stride, features), deepest last.
        num_classes: classes of the dataset, the ignore label not counted.
        fc_kernel_size: side of fc6.
        fc_rate: atrous rate of fc6.
        fc_features: channels of fc6 and fc7; `None` leaves both out and classifies the
            backbone's features, as PyTorch ports over ResNet-101 do.
        multi_scale: joins two convolutions on the image and on every stage but the last to
            the features that are classified (section 4.3, "MSc").
        multi_scale_features: channels of each of them.
        dropout_rate: share of the features dropped after each layer of the head.
        align_corners: convention of the interpolation to image size.
        upsample: resizes scores to the image; `False` returns those of the head's resolution.
        dtype: type in which the network computes; parameters and logits are float32.
        norm: maps `train` to a normalisation factory, for backbones that have one.
    """

    backbone: Callable[..., nn.Module]
    num_classes: int
    fc_kernel_size: int = 3
    fc_rate: int = 12
    fc_features: int | None = 1024
    multi_scale: bool = False
    multi_scale_features: int = 128
    dropout_rate: float = 0.5
    align_corners: bool = True
    upsample: bool = True
    dtype: ComputeDtype = "float32"
    norm: Callable[[bool], Norm] = batch_norm

    @nn.compact
    def __call__(self, image: Image, *, train: bool) -> Outputs:
        """Returns logits at image size."""
        size, image = image.shape[1:3], image.astype(self.dtype)
        stages = self.backbone(norm=self.norm(train), name="backbone").stages(image)
        x = stages[-1][1]
        if self.fc_features is not None:
            head = FieldOfView(
                self.fc_features, self.fc_kernel_size, self.fc_rate, self.dropout_rate, name="head"
            )
            x = head(x, train=train)
        if self.multi_scale:
            finer = self._multi_scale([(1, image), *stages[:-1]], stages[-1][0], train=train)
            x = jnp.concatenate([x, *finer], axis=-1)
        logits = Conv(self.num_classes, 1, kernel_init=normal(0.01), name="classifier")(x)
        return finish(logits, {}, size, align_corners=self.align_corners, upsample=self.upsample)

    def _multi_scale(
        self, stages: Sequence[tuple[int, Array]], output_stride: int, *, train: bool
    ) -> list[Array]:
        features, dropout = (
            self.multi_scale_features,
            partial(Dropout, self.dropout_rate, not train),
        )
        branches = []
        for i, (stride, x) in enumerate(stages):
            stride = output_stride // stride
            x = jax.nn.relu(Conv(features, 3, stride, name=f"multi_scale{i}_conv1")(x))
            x = dropout(name=f"multi_scale{i}_dropout1")(x)
            x = jax.nn.relu(Conv(features, 1, name=f"multi_scale{i}_conv2")(x))
            branches.append(dropout(name=f"multi_scale{i}_dropout2")(x))
        return branches
