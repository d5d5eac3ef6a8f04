"""VGG-16: published size, and its poolings."""

import jax
import jax.numpy as jnp
import numpy as np

from seg_jax.backbones.vgg import VGG16
from seg_jax.describe import count_parameters
from seg_jax.layers.lowering import use_lowering
from seg_jax.layers.norm import batch_norm


def init(size=(32, 32), **fields):
    backbone = VGG16(norm=batch_norm(train=False), **fields)
    image = jax.ShapeDtypeStruct((1, *size, 3), jnp.float32)
    return jax.eval_shape(backbone.init_with_output, jax.random.key(0), image)


def test_parameters_are_those_of_the_thirteen_convolutions():
    _, variables = init()
    assert set(variables) == {"params"}
    assert count_parameters(variables["params"]) == 14_714_688


def test_batch_norm_replaces_the_biases():
    _, variables = init(batch_norm=True)
    assert set(variables["params"]["conv1_1"]["conv"]) == {"kernel"}
    norms = 2 * (2 * 64 + 2 * 128 + 3 * 256 + 6 * 512)
    assert count_parameters(variables["params"]) == 14_714_688 + norms // 2
    assert count_parameters(variables["batch_stats"]) == norms


def test_the_wide_pooling_window_agrees_between_strides():
    image = jnp.asarray(np.random.RandomState(0).randn(1, 49, 67, 3), jnp.float32)

    def build(stride):
        norm = batch_norm(train=False)
        return VGG16(output_stride=stride, width=0.125, pool_window=3, norm=norm)

    random = np.random.RandomState(1)
    variables = jax.tree.map(
        lambda leaf: random.randn(*leaf.shape).astype(np.float32) / np.sqrt(leaf.size**0.5),
        jax.eval_shape(build(32).init, jax.random.key(0), image),
    )
    with use_lowering("lax"):
        dense = jax.jit(build(8).apply)(variables, image)[8]
        coarse = jax.jit(build(32).apply)(variables, image)[32]
    scale = float(jnp.abs(coarse).max())
    assert scale > 0
    np.testing.assert_allclose(dense[:, ::4, ::4], coarse, atol=1e-5 * scale)
