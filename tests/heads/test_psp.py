"""The pyramid's branches; the whole head is held to its references' logits."""

import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.heads.psp import PyramidPooling
from seg_jax.layers.norm import batch_norm, identity_norm


def test_it_joins_the_input_and_every_grid(image, interpolate, draw_params, run):
    x = image((1, 6, 7, 4))
    head = PyramidPooling((1, 2), None, True, align_corners=True, norm=identity_norm)
    params = draw_params(head, jnp.asarray(x))
    actual = run(head, params, jnp.asarray(x))
    assert actual.shape == (1, 6, 7, 4 + 2 * 2)
    np.testing.assert_array_equal(actual[..., :4], x)
    whole = x.mean((1, 2)) @ np.asarray(params["pool1"]["conv"]["kernel"])[0, 0]
    np.testing.assert_allclose(actual[0, 2, 3, 4:6], np.maximum(whole[0], 0), atol=1e-5)
    quarter = x[:, :3, :4].mean((1, 2)) @ np.asarray(params["pool2"]["conv"]["kernel"])[0, 0]
    np.testing.assert_allclose(actual[0, 0, 0, 6:], np.maximum(quarter[0], 0), atol=1e-5)


@pytest.mark.parametrize("norm_pooled", [True, False])
def test_one_cell_may_go_without_a_norm(norm_pooled, image, draw_params):
    x = jnp.asarray(image((1, 6, 7, 4)))
    head = PyramidPooling((1, 2), 3, norm_pooled, align_corners=True, norm=batch_norm(train=False))
    params = draw_params(head, x)
    assert ("norm" in params["pool1"]) == norm_pooled
    assert ("bias" in params["pool1"]["conv"]) != norm_pooled
    assert "norm" in params["pool2"]
