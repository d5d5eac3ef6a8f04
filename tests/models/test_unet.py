"""The unpadded network of the paper, against the padded one where no border is seen."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.initialise import initialise
from seg_jax.models.unet import UNet, mirror_border


def test_the_paper_turns_572_pixels_into_388():
    image = jnp.zeros((1, 388, 388, 3))
    assert mirror_border(image, depth=4).shape == (1, 572, 572, 3)


@pytest.mark.parametrize("size", [(33, 40), (5, 7)])
def test_the_border_is_mirrored(size):
    image = np.random.RandomState(0).randn(1, *size, 3).astype(np.float32)
    actual = np.asarray(mirror_border(jnp.asarray(image), depth=2))
    after = [have - want - 20 for have, want in zip(actual.shape[1:3], size, strict=True)]
    expected = np.pad(image, ((0, 0), *((20, each) for each in after), (0, 0)), "reflect")
    np.testing.assert_array_equal(actual, expected)


def test_unpadded_convolutions_see_what_padded_ones_see_inside_an_image():
    unpadded = UNet(num_classes=4, base_features=3, depth=2, padded=False, batch_norm=False)
    padded = unpadded.clone(padded=True)
    variables = initialise(unpadded, (1, 16, 16, 3), seed=0)
    random = np.random.RandomState(1)
    variables = jax.tree.map(
        lambda leaf: jnp.asarray(leaf + 0.1 * random.randn(*leaf.shape), jnp.float32),
        variables,
    )
    image = jnp.asarray(np.random.RandomState(2).randn(1, 21, 30, 3), jnp.float32)
    mirrored = np.asarray(mirror_border(image, depth=2))
    # Two pixels more than a multiple of four: both networks then pool the same pairs.
    margin = 34
    extra = [-(margin + size) % 4 + 36 for size in mirrored.shape[1:3]]
    larger = np.pad(mirrored, ((0, 0), *((margin, each) for each in extra), (0, 0)))

    def run(model, image):
        apply = functools.partial(model.apply, train=False)
        options = {"xla_backend_optimization_level": 0}
        return jax.jit(apply, compiler_options=options)(variables, image).logits

    inside = run(padded, jnp.asarray(larger))
    inside = inside[:, margin + 20 :, margin + 20 :][:, :21, :30]
    logits = run(unpadded, image)
    np.testing.assert_allclose(logits, inside, atol=1e-5)
    assert np.abs(logits).max() > 0.1
