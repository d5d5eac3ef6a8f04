"""SegNet: as many parameters as its figure counts."""

import functools

import jax
import jax.numpy as jnp

from seg_jax.describe import count_parameters
from seg_jax.models.build import build_model


def test_the_decoder_mirrors_vgg16():
    encoder = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256)]
    encoder += [(256, 512), (512, 512), (512, 512)] + [(512, 512)] * 3
    # Backwards, each convolution with its channels swapped; the first one is the classifier.
    decoder = [(features, channels) for channels, features in reversed(encoder[1:])]
    convs = [*encoder, *decoder]
    norms = sum(3 * features for _, features in convs)  # bias of the convolution, scale, offset
    kernels = sum(9 * channels * features for channels, features in convs)
    classifier = 9 * 64 * 21 + 21
    model = build_model({"name": "segnet"}, num_classes=21, axis=None)
    image = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
    init = functools.partial(model.init, train=False)
    params = jax.eval_shape(init, jax.random.key(0), image)["params"]
    assert count_parameters(params) == kernels + norms + classifier
