"""LR-ASPP against its figure."""

import jax.numpy as jnp
import numpy as np

from seg_jax.heads.lraspp import LRASPPHead
from seg_jax.layers.norm import identity_norm


def test_gated_scores_are_added_to_finer_ones(image, interpolate, draw_params, run):
    x, low_level = image((2, 3, 4, 5)), image((2, 6, 7, 3), seed=1)
    head = LRASPPHead(2, 4, align_corners=True, norm=identity_norm)
    inputs = jnp.asarray(x), jnp.asarray(low_level)
    params = draw_params(head, *inputs)

    def dense(name, x):
        layer = params[name].get("conv", params[name])
        return x @ np.asarray(layer["kernel"])[0, 0] + np.asarray(layer.get("bias", 0.0))

    gate = 1 / (1 + np.exp(-dense("gate", x.mean((1, 2)))))
    gated = np.maximum(dense("conv", x), 0) * gate[:, None, None]
    expected = dense("low_classifier", low_level)
    expected = expected + dense("high_classifier", interpolate(gated, (6, 7)))
    np.testing.assert_allclose(run(head, params, *inputs), expected, rtol=1e-4, atol=1e-4)
