"""U-Net (Ronneberger, Fischer, Brox 2015, arXiv:1505.04597), with its own encoder or a backbone.

`padded=False` and `batch_norm=False` is the paper's network. Its convolutions take pixels off
the border; the image is mirrored there first (section 2, figure 2), so that logits still cover
it. The defaults, padding and batch norm, are the form in common use. The paper drops out
features at the end of the contracting path (section 3.1) at a rate it does not state.
"""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from seg_jax.heads.unet import UNetDecoder, UNetEncoder, Upsampling
from seg_jax.layers import norm as norms
from seg_jax.layers.conv import Conv, ConvNormAct
from seg_jax.layers.dropout import Dropout
from seg_jax.models.outputs import ComputeDtype, auxiliary_scores, finish
from seg_jax.typing import Features, Image, Outputs


class UNet(nn.Module):
    """Encoder, decoder with skips at every stride, 1x1 classifier at full resolution.

    Attributes:
        num_classes: classes of the dataset, the ignore label not counted.
        backbone: factory taking `norm` and `name`, whose module maps an image to {output
            stride: features}; `None` takes the paper's encoder. Strides the backbone does not
            deliver get decoder stages without a skip.
        base_features: channels at full resolution; at stride s there are s times as many.
        depth: number of poolings of the encoder; a backbone sets its own depth.
        padded: pads every convolution; otherwise the image is mirrored at its border.
        batch_norm: normalises after every 3x3 convolution of encoder and decoder, which have
            biases otherwise; it does not touch a backbone.
        upsampling: "transposed", "bilinear", "bilinear_conv" or "nearest", see `UNetDecoder`.
        bottom_dropout_rate: share of the encoder's deepest features dropped.
        refine: puts a 3x3 convolution and dropout in front of the classifier, as
            mmsegmentation does.
        classifier_kernel_size: side of the classifier's kernel; segmentation-models-pytorch
            takes 3.
        aux: adds an `FCNHead` on the decoder's stage of stride 2, as `Outputs.aux["aux"]`; with
            one pooling, on that of stride 1.
        aux_features: channels of that head's 3x3 convolution.
        dropout_rate: share of the features dropped where `refine` and `aux` classify.
        align_corners: convention of every interpolation.
        dtype: type in which the network computes; parameters and logits are float32.
        norm: maps `train` to a normalisation factory.
    """

    num_classes: int
    backbone: Callable[..., nn.Module] | None = None
    base_features: int = 64
    depth: int = 4
    padded: bool = True
    batch_norm: bool = True
    upsampling: Upsampling = "transposed"
    bottom_dropout_rate: float = 0.0
    refine: bool = False
    classifier_kernel_size: int = 1
    aux: bool = False
    aux_features: int = 64
    dropout_rate: float = 0.1
    align_corners: bool = True
    dtype: ComputeDtype = "float32"
    norm: Callable[[bool], norms.Norm] = norms.batch_norm

    def __post_init__(self):
        if self.backbone is not None and not self.padded:
            raise ValueError(
                "config.model.padded=False has no meaning over a backbone, whose convolutions "
                "are padded. Set it to True, or remove config.model.backbone."
            )
        super().__post_init__()

    @nn.compact
    def __call__(self, image: Image, *, train: bool) -> Outputs:
        """Returns logits at image size."""
        size = image.shape[1:3]
        image = _at_least(image.astype(self.dtype), 1 if self.backbone else 2**self.depth)
        norm = self.norm(train) if self.batch_norm else norms.identity_norm
        use_bias = not self.batch_norm
        features = self._encode(image, norm, use_bias, train=train)
        deepest = max(features)
        dropout = Dropout(self.bottom_dropout_rate, deterministic=not train)
        maps = UNetDecoder(
            self.base_features,
            self.upsampling,
            self.align_corners,
            self.padded,
            use_bias,
            norm=norm,
            name="decoder",
        )({**features, deepest: dropout(features[deepest])}, (image.shape[1], image.shape[2]))
        x = maps[1]
        if self.refine:
            x = ConvNormAct(self.base_features, use_bias=use_bias, norm=norm, name="refine")(x)
            x = Dropout(self.dropout_rate, deterministic=not train)(x)
        logits = Conv(self.num_classes, self.classifier_kernel_size, name="classifier")(x)
        aux = auxiliary_scores(self, maps.get(2, maps[1]), norm, train=train)
        logits = logits[:, : size[0], : size[1]]
        return finish(logits, aux, size, align_corners=self.align_corners, upsample=True)

    def _encode(self, image: Image, norm: norms.Norm, use_bias: bool, *, train: bool) -> Features:
        if self.backbone is not None:
            return self.backbone(norm=self.norm(train), name="backbone")(image)
        stages = tuple(self.base_features * 2**i for i in range(self.depth + 1))
        if self.upsampling == "bilinear":
            # Nothing halves the channels on the way up, so the last stage does not double.
            stages = (*stages[:-1], stages[-1] // 2)
        image = image if self.padded else mirror_border(image, self.depth)
        return UNetEncoder(stages, self.padded, use_bias, norm=norm, name="encoder")(image)


def _at_least(image: Image, side: int) -> Float[Array, "b h2 w2 3"]:
    """Pads with zeros below and on the right what would not survive the encoder's poolings."""
    missing = [(0, max(side - size, 0)) for size in image.shape[1:3]]
    return jnp.pad(image, ((0, 0), *missing, (0, 0)))


def mirror_border(image: Image, depth: int) -> Float[Array, "b h2 w2 3"]:
    """Mirrors the border so that the output of unpadded convolutions covers the image.

    The first pixels of that output are the first pixels of `image`.
    """
    margin = 6 * 2**depth - 4
    pads = []
    for size in image.shape[1:3]:
        bottom = -(-(size + 4 * (2**depth - 1)) // 2**depth)
        total = 2**depth * (bottom + 4) + 4 * (2**depth - 1)
        pads.append((margin, total - margin - size))
    return jnp.pad(image, ((0, 0), *pads, (0, 0)), mode="reflect")
