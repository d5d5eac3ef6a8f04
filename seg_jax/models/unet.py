"""U-Net (Ronneberger, Fischer, Brox 2015, arXiv:1505.04597), with its own encoder or a backbone.

`padded=False` and `batch_norm=False` is the paper's network. Its convolutions take pixels off
the border; the image is mirrored there first (section 2, figure 2), so that logits still cover
it. The defaults, padding and batch norm, are the form in common use. Departure: the paper
drops out features at the end of the contracting path at a rate it does not state; we do not.
"""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from seg_jax.heads.unet import UNetDecoder, UNetEncoder, Upsampling
from seg_jax.layers import norm as norms
from seg_jax.layers.conv import Conv
from seg_jax.typing import Image, Outputs


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
        upsampling: "transposed" or "bilinear", see `UNetDecoder`.
        align_corners: convention of the bilinear upsampling.
        norm: maps `train` to a normalisation factory.
    """

    num_classes: int
    backbone: Callable[..., nn.Module] | None = None
    base_features: int = 64
    depth: int = 4
    padded: bool = True
    batch_norm: bool = True
    upsampling: Upsampling = "transposed"
    align_corners: bool = True
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
        height, width = image.shape[1:3]
        norm = self.norm(train) if self.batch_norm else norms.identity_norm
        use_bias = not self.batch_norm
        if self.backbone is not None:
            features = self.backbone(norm=self.norm(train), name="backbone")(image)
        else:
            stages = tuple(self.base_features * 2**i for i in range(self.depth + 1))
            if self.upsampling == "bilinear":
                # Nothing halves the channels on the way up, so the last stage does not double.
                stages = (*stages[:-1], stages[-1] // 2)
            x = image if self.padded else mirror_border(image, self.depth)
            encoder = UNetEncoder(stages, self.padded, use_bias, norm=norm, name="encoder")
            features = encoder(x)
        x = UNetDecoder(
            self.base_features,
            self.upsampling,
            self.align_corners,
            self.padded,
            use_bias,
            norm=norm,
            name="decoder",
        )(features, (height, width))
        logits = Conv(self.num_classes, 1, name="classifier")(x)
        return Outputs(logits[:, :height, :width])


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
