"""ASPP against explicit loops over cells, taps and branches."""

import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.heads.aspp import ASPP, check_atrous_rates
from seg_jax.layers.norm import batch_norm, identity_norm
from seg_jax.layers.separable import SeparableConv

RATES = (2, 3)


def relu(x):
    return np.maximum(x, 0)


def test_branches_are_concatenated_in_the_order_of_the_paper(image, convolve, draw_params, run):
    x = image((2, 6, 7, 5))
    aspp = ASPP(4, RATES, norm=identity_norm)
    params = draw_params(aspp, jnp.asarray(x))
    kernels = {name: layer["conv"]["kernel"] for name, layer in params.items()}
    branches = [relu(convolve(x, kernels["point"]))]
    for i, rate in enumerate(RATES, start=1):
        branches.append(relu(convolve(x, kernels[f"atrous{i}"], rate)))
    mean = x.astype(np.float64).mean((1, 2), keepdims=True)
    pooled = relu(convolve(mean, kernels["pool"]))
    branches.append(np.broadcast_to(pooled, branches[0].shape))
    expected = relu(convolve(np.concatenate(branches, -1), kernels["project"]))
    np.testing.assert_allclose(run(aspp, params, jnp.asarray(x)), expected, rtol=1e-5, atol=1e-4)


def test_branches_can_be_separable(image, draw_params):
    x = jnp.asarray(image((1, 6, 7, 5)))
    norm = batch_norm(train=False)
    params = draw_params(ASPP(4, RATES, SeparableConv, norm=norm), x)
    assert params["atrous2"]["depthwise"]["conv"]["kernel"].shape == (3, 3, 1, 5)
    assert params["atrous2"]["pointwise"]["conv"]["kernel"].shape == (1, 1, 5, 4)
    assert params["point"]["conv"]["kernel"].shape == (1, 1, 5, 4)
    assert params["project"]["conv"]["kernel"].shape == (1, 1, 16, 4)


def test_rates_are_positive_integers():
    check_atrous_rates((6, 12, 18))
    check_atrous_rates(())
    for rates in ((0,), (6, -1)):
        with pytest.raises(
            ValueError, match=r"config\.model\.atrous_rates=.* holds a rate below 1"
        ):
            check_atrous_rates(rates)


def test_branches_can_be_left_out(image, draw_params):
    x = jnp.asarray(image((1, 4, 5, 3)))
    aspp = ASPP(4, (), image_pooling=False, project_kernel_size=3, norm=identity_norm)
    params = draw_params(aspp, x)
    assert set(params) == {"point", "project"}
    assert params["project"]["conv"]["kernel"].shape == (3, 3, 4, 4)
