"""Parameters and FLOPs against numbers worked out by hand or published."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest

from seg_jax.backbones.mobilenet_v2 import MobileNetV2
from seg_jax.backbones.resnet import resnet50
from seg_jax.backbones.vgg import VGG16
from seg_jax.describe import count_flops, count_parameters, estimate_flops
from seg_jax.layers.conv import Conv, ConvNormAct
from seg_jax.layers.deconv import UpConv
from seg_jax.layers.lowering import use_lowering
from seg_jax.layers.norm import batch_norm
from seg_jax.layers.resize import resize_bilinear
from seg_jax.layers.separable import SeparableConv


class Net(nn.Module):
    """One layer of every kind that counts, and some that do not."""

    @nn.compact
    def __call__(self, image, *, train):
        norm = batch_norm(train)
        x = ConvNormAct(8, stride=2, norm=norm, name="conv")(image)
        x = SeparableConv(16, rate=6, norm=norm, name="separable")(x)
        x = ConvNormAct(4, rate=12, norm=norm, name="atrous")(x)
        x = UpConv(5, name="up")(x)
        return resize_bilinear(Conv(2, 1, name="classifier")(x), (31, 21), align_corners=False)


def test_a_network_worked_out_by_hand():
    # Image 10 x 7 -> 5 x 4 cells, twice that after the up-convolution.
    multiply_adds = 20 * (9 * 3 * 8 + (9 * 8 + 8 * 16) + 9 * 16 * 4 + 4 * 4 * 5) + 80 * 5 * 2
    assert count_flops(Net(), (10, 7)) == 2 * multiply_adds


def test_the_count_does_not_depend_on_the_lowering():
    with use_lowering("fast"):
        fast = count_flops(Net(), (10, 7))
    assert fast == count_flops(Net(), (10, 7))


def test_parameters_without_statistics():
    shapes = jax.eval_shape(
        lambda key: Net().init(key, jnp.zeros((1, 10, 7, 3)), train=False), jax.random.key(0)
    )
    convs = 9 * 3 * 8 + 9 * 8 + 8 * 16 + 9 * 16 * 4 + (4 * 4 * 5 + 5) + (5 * 2 + 2)
    norms = 2 * (8 + 8 + 16 + 4)
    assert count_parameters(shapes["params"]) == convs + norms


def transposed(kernel, x):
    return jax.lax.conv_transpose(x, kernel, (2, 2), "SAME")


class Transposed(nn.Module):
    """A transposed convolution of XLA, which multiplies by the zeros it inserts."""

    @nn.compact
    def __call__(self, image, *, train):
        return transposed(self.param("kernel", nn.initializers.ones, (4, 4, 3, 5)), image)


def test_inserted_zeros_do_not_count():
    assert count_flops(Transposed(), (6, 7)) == 2 * 6 * 7 * 4 * 4 * 3 * 5


class Scanned(nn.Module):
    """Three passes of one 1x1 convolution."""

    @nn.compact
    def __call__(self, image, *, train):
        kernel = self.param("kernel", nn.initializers.ones, (3, 3))
        return jax.lax.scan(lambda x, _: (x @ kernel, None), image, None, length=3)[0]


def test_loops_count_every_pass():
    assert count_flops(Scanned(), (6, 7)) == 3 * 2 * 6 * 7 * 3 * 3


class Encoder(nn.Module):
    """A backbone with the signature of a model."""

    constructor: type

    @nn.compact
    def __call__(self, image, *, train):
        return self.constructor(norm=batch_norm(train), name="backbone")(image)


@pytest.mark.parametrize(
    ("constructor", "published", "classifier"),
    [
        # Multiply-adds of torchvision's image classifiers at 224 x 224, "_ops" in its weights.
        (resnet50, 4.089e9, 2048 * 1000),
        (VGG16, 15.470e9, 25088 * 4096 + 4096 * 4096 + 4096 * 1000),
        (MobileNetV2, 0.301e9, 1280 * 1000),
    ],
)
def test_backbones_cost_what_is_published(constructor, published, classifier):
    multiply_adds = count_flops(Encoder(constructor), (224, 224)) / 2 + classifier
    assert multiply_adds == pytest.approx(published, abs=0.5e6)


class HalfUsed(nn.Module):
    """A layer that the output reads, and one that it does not."""

    @nn.compact
    def __call__(self, image, *, train):
        Conv(50, 1, name="unused")(image)
        return Conv(4, 1, use_bias=False, name="used")(image)


def test_layers_that_no_output_reads_do_not_count():
    assert count_flops(HalfUsed(), (5, 6)) == 2 * 5 * 6 * 3 * 4


def test_xla_counts_the_same_multiply_adds_where_nothing_is_padded():
    assert estimate_flops(HalfUsed(), (5, 6)) == 2 * 5 * 6 * 3 * 4


def test_xla_counts_only_taps_that_meet_the_image():
    class Atrous(nn.Module):
        @nn.compact
        def __call__(self, image, *, train):
            return Conv(4, 3, rate=7, use_bias=False, name="conv")(image)

    centre = 2 * 5 * 6 * 3 * 4
    assert count_flops(Atrous(), (5, 6)) == 9 * centre
    assert estimate_flops(Atrous(), (5, 6)) == centre
