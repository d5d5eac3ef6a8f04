"""FastFCN (Wu et al. 2019, arXiv:1903.11816): a strided backbone, JPU, and a dense head."""

from collections.abc import Callable
from typing import Literal

import flax.linen as nn
from jax import Array

from seg_jax.heads.aspp import check_atrous_rates
from seg_jax.heads.deeplab import DeepLabHead
from seg_jax.heads.encoding import EncHead
from seg_jax.heads.fcn import FCNHead
from seg_jax.heads.jpu import JointPyramidUpsampling
from seg_jax.heads.psp import PSPHead
from seg_jax.heads.strides import require_strides
from seg_jax.layers.norm import Norm, batch_norm
from seg_jax.models.outputs import ComputeDtype, auxiliary_scores, finish
from seg_jax.typing import Image, Outputs


class FastFCN(nn.Module):
    """The network of figure 2: the head sees stride 8 though the backbone runs at 32.

    Attributes:
        backbone: factory taking `norm` and `name`; its module's `stages(image)` lists (output
            stride, features), deepest last, with strides 8, 16 and 32.
        num_classes: classes of the dataset, the ignore label not counted.
        head: "fcn", the `FCNHead`; "psp", that of PSPNet; "aspp", that of DeepLabv3; "encnet",
            that of EncNet, which gives `Outputs.presence` as well.
        head_features: channels inside the head; the authors take 256 for "aspp", 512 for the
            others.
        jpu_features: channels per stage and per rate of the JPU.
        atrous_rates: ASPP rates at stride 8, read by the head "aspp".
        refine: puts a 3x3 convolution between the ASPP and the classifier.
        project_kernel_size: side of the kernel that projects the ASPP's branches; 3 in
            mmsegmentation.
        bin_features: channels of each projection of the head "psp"; `None` takes a quarter of
            the JPU's; mmsegmentation takes 512.
        encnet_kernel_size: side of the first kernel of the head "encnet"; 3 in mmsegmentation.
        presence: see `EncNet`, read by the head "encnet".
        dropout_rate: share of the features dropped inside the heads.
        aux: adds an `FCNHead` on stride 16, as `Outputs.aux["aux"]`, in training and
            evaluation alike: unused logits cost nothing in a compiled function.
        aux_features: channels of that head's 3x3 convolution.
        align_corners: convention of every interpolation.
        upsample: resizes scores to the image; `False` returns those of the head's resolution.
        dtype: type in which the network computes; parameters and logits are float32.
        norm: maps `train` to a normalisation factory.
    """

    backbone: Callable[..., nn.Module]
    num_classes: int
    head: Literal["fcn", "psp", "aspp", "encnet"] = "fcn"
    head_features: int = 512
    jpu_features: int = 512
    atrous_rates: tuple[int, ...] = (12, 24, 36)
    refine: bool = True
    project_kernel_size: int = 1
    bin_features: int | None = None
    encnet_kernel_size: int = 1
    presence: bool = True
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
            ValueError: the backbone does not give strides 8, 16 and 32.
        """
        norm, size = self.norm(train), image.shape[1:3]
        image = image.astype(self.dtype)
        features = self.backbone(norm=norm, name="backbone")(image)
        require_strides(features, (8, 16, 32), model="fastfcn")
        x = JointPyramidUpsampling(self.jpu_features, self.align_corners, norm=norm, name="jpu")(
            features
        )
        logits, presence = self._head(x, norm, train=train)
        aux = auxiliary_scores(self, features[16], norm, train=train)
        return finish(
            logits,
            aux,
            size,
            align_corners=self.align_corners,
            upsample=self.upsample,
            presence=presence,
        )

    def _head(self, x: Array, norm: Norm, *, train: bool) -> tuple[Array, Array | None]:
        """Returns logits at stride 8, and presence scores where the head gives them."""
        classes, features, dropout = self.num_classes, self.head_features, self.dropout_rate
        if self.head == "encnet":
            head = EncHead(
                classes,
                features,
                dropout,
                self.encnet_kernel_size,
                presence=self.presence,
                norm=norm,
                name="head",
            )
            return head(x, [], train=train)
        if self.head == "fcn":
            head = FCNHead(classes, features, dropout, norm=norm, name="head")
        elif self.head == "psp":
            head = PSPHead(
                classes,
                features,
                dropout,
                self.align_corners,
                bin_features=self.bin_features,
                norm=norm,
                name="head",
            )
        else:
            head = DeepLabHead(
                classes,
                features,
                self.atrous_rates,
                self.refine,
                dropout,
                project_kernel_size=self.project_kernel_size,
                norm=norm,
                name="head",
            )
        return head(x, train=train), None
