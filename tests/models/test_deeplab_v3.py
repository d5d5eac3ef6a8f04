"""The same weights at another output stride: the premise of evaluating at 8 what learnt at 16."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from seg_jax.initialise import initialise
from seg_jax.models.build import build_model


def test_weights_of_stride_16_give_the_same_logits_at_stride_8_with_doubled_rates():
    def build(stride, rates):
        return build_model(
            {
                "name": "deeplab_v3",
                "atrous_rates": rates,
                "head_features": 6,
                "align_corners": True,
                "backbone": {"name": "tiny", "width": 4, "output_stride": stride},
            },
            num_classes=5,
            axis=None,
        )

    coarse, dense = build(16, (1, 2)), build(8, (2, 4))
    variables = initialise(coarse, (1, 65, 81, 3), seed=0)
    image = jnp.asarray(np.random.RandomState(0).randn(1, 65, 81, 3), jnp.float32)

    def run(model, variables):
        apply = functools.partial(model.apply, train=False)
        apply = jax.jit(apply, compiler_options={"xla_backend_optimization_level": 0})
        # With corners aligned, every 16th pixel of a 16 k + 1 image is the centre of a cell.
        return apply(variables, image).logits[:, ::16, ::16]

    # Image pooling is a mean over cells, and there are four times as many at stride 8.
    kernel = variables["params"]["head"]["aspp"]["project"]["conv"]["kernel"]
    pooled = np.concatenate([np.ones(18), np.zeros(6)])[None, None, :, None]
    without = jax.tree.map(lambda leaf: leaf * pooled if leaf is kernel else leaf, variables)
    without = jax.tree.map(lambda leaf: np.asarray(leaf, np.float32), without)

    expected = run(coarse, without)
    np.testing.assert_allclose(run(dense, without), expected, atol=1e-5)
    assert np.abs(expected).max() > 0.1
    # The test would not see rates that stayed as they were, were it not for this.
    assert np.abs(run(build(8, (1, 2)), without) - expected).max() > 0.01
