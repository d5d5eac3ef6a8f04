"""VGG-16 without its fully connected layers (Simonyan and Zisserman, arXiv:1409.1556, table 1 D).

The fc6 and fc7 layers that FCN and DeepLab turn into convolutions belong to those heads; at
an output stride below 32 the first of them has the rate `32 / output_stride`.
"""

import dataclasses

import flax.linen as nn
from jaxtyping import Array, Float

from seg_jax.backbones.strides import plan_stages
from seg_jax.layers.conv import ConvNormAct
from seg_jax.layers.norm import Norm, identity_norm
from seg_jax.layers.pool import max_pool
from seg_jax.layers.remat import kept
from seg_jax.typing import Features

_CONVS = (2, 2, 3, 3, 3)
_CHANNELS = (64, 128, 256, 512, 512)


class VGG16(nn.Module):
    """Thirteen 3x3 convolutions with biases in five stages, each closed by a max pooling.

    The features of stride 2, 4, 8, 16, 32 are "pool1" to "pool5". Poolings round sizes up,
    as in Caffe, so that no border is lost at odd sizes.

    Attributes:
        output_stride: image pixels per cell of the last map: 1, 2, 4, 8, 16 or 32.
        width: multiplies every channel count.
        batch_norm: replaces biases by normalisation layers (the "vgg16_bn" of torchvision);
            the paper's network has none.
        pool_window: side of the pooling windows: 2 in the paper, 3 in DeepLab's releases.
        norm: normalisation factory, used where `batch_norm` is set.
    """

    output_stride: int = 32
    width: float = 1.0
    batch_norm: bool = False
    pool_window: int = 2
    norm: Norm = dataclasses.field(kw_only=True)

    def __call__(self, image: Float[Array, "b h w 3"]) -> Features:
        """Returns the last features of every stride."""
        return dict(self.stages(image))

    @nn.compact
    def stages(self, image: Float[Array, "b h w 3"]) -> list[tuple[int, Array]]:
        """Returns (stride, features) after each of the five stages."""
        x, stages, current = image, [], 1
        plan = plan_stages((2,) * len(_CONVS), self.output_stride, stem_stride=1)
        for i, (stage, count, channels) in enumerate(
            zip(plan, _CONVS, _CHANNELS, strict=True), start=1
        ):
            for j in range(1, count + 1):
                x = ConvNormAct(
                    round(channels * self.width),
                    rate=stage.entry_rate,
                    use_bias=not self.batch_norm,
                    norm=self.norm if self.batch_norm else identity_norm,
                    name=f"conv{i}_{j}",
                )(x)
            before = (self.pool_window - 1) // 2 * stage.entry_rate
            after = (self.pool_window - 1) * stage.entry_rate - before
            x = max_pool(x, self.pool_window, stage.stride, (before, after), rate=stage.entry_rate)
            x = kept(x, "block")
            current *= stage.stride
            stages.append((current, x))
        return stages
