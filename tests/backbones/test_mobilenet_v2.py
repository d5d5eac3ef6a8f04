"""MobileNetV2: published sizes, and the shortcuts that a removed stride must not create."""

import jax
import jax.numpy as jnp
import pytest

from seg_jax.backbones.mobilenet_v2 import InvertedResidual, MobileNetV2, round_channels
from seg_jax.describe import count_parameters
from seg_jax.layers.norm import batch_norm, identity_norm


def test_parameters_are_as_published_less_the_classifier():
    backbone = MobileNetV2(norm=batch_norm(train=False))
    image = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)
    variables = jax.eval_shape(backbone.init, jax.random.key(0), image)
    assert count_parameters(variables["params"]) == 3_504_872 - 1_281_000


@pytest.mark.parametrize(
    ("features", "rounded"), [(32.0, 32), (24 * 0.75, 24), (16 * 0.35, 8), (1.0, 8), (83.2, 80)]
)
def test_channels_are_multiples_of_eight(features, rounded):
    assert round_channels(features) == rounded


def test_a_block_designed_with_a_stride_has_no_shortcut():
    x = jnp.ones((1, 4, 4, 8))
    block = InvertedResidual(
        8, 6, stride=1, rate=2, padding="symmetric", residual=False, norm=identity_norm
    )
    variables = block.init(jax.random.key(0), x)
    with_shortcut = block.clone(residual=True).apply(variables, x)
    assert jnp.allclose(with_shortcut - block.apply(variables, x), x, atol=1e-5)
