"""SGD against the update rule written out, and what decay and the head's rate apply to."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seg_jax.optim.schedules import constant, poly
from seg_jax.optim.sgd import head_mask, sgd

PARAMS = {
    "backbone": {"conv": {"kernel": jnp.array([1.0, 2.0])}, "norm": {"scale": jnp.array([1.0])}},
    "classifier": {"kernel": jnp.array([3.0]), "bias": jnp.array([0.5])},
}
GRADS = {
    "backbone": {"conv": {"kernel": jnp.array([0.1, -0.2])}, "norm": {"scale": jnp.array([0.3])}},
    "classifier": {"kernel": jnp.array([0.4]), "bias": jnp.array([0.6])},
}


def test_three_steps_equal_the_rule_written_out():
    schedule = poly(base_lr=0.5, num_steps=4, power=0.9)
    tx = sgd(schedule, momentum=0.9, weight_decay=0.1, head_lr_multiplier=10.0)
    params, state = PARAMS, tx.init(PARAMS)
    leaves = {  # value, gradient, decay, multiplier
        ("backbone", "conv", "kernel"): [np.array([1.0, 2.0]), np.array([0.1, -0.2]), 0.1, 1],
        ("backbone", "norm", "scale"): [np.array([1.0]), np.array([0.3]), 0.0, 1],
        ("classifier", "kernel"): [np.array([3.0]), np.array([0.4]), 0.1, 10],
        ("classifier", "bias"): [np.array([0.5]), np.array([0.6]), 0.0, 10],
    }
    velocity = dict.fromkeys(leaves, 0.0)
    for step in range(3):
        updates, state = tx.update(GRADS, state, params)
        params = optax.apply_updates(params, updates)
        rate = 0.5 * (1 - step / 4) ** 0.9
        for path, leaf in leaves.items():
            value, gradient, decay, multiplier = leaf
            velocity[path] = 0.9 * velocity[path] + gradient + decay * value
            leaf[0] = value - rate * multiplier * velocity[path]
    for path, (value, *_) in leaves.items():
        actual = params
        for name in path:
            actual = actual[name]
        np.testing.assert_allclose(actual, value, rtol=1e-5)


def test_without_a_backbone_nothing_counts_as_head():
    assert head_mask({"stage1": {"kernel": 1}, "classifier": {"kernel": 1}}) == {
        "stage1": {"kernel": False},
        "classifier": {"kernel": False},
    }


@pytest.mark.parametrize("make", [poly, constant])
def test_warm_up_rises_linearly_to_the_schedule(make):
    plain = make(base_lr=0.2, num_steps=100)
    warm = make(base_lr=0.2, num_steps=100, warmup_steps=4)
    ratio = [float(warm(step) / plain(step)) for step in range(6)]
    np.testing.assert_allclose(ratio, [0.2, 0.4, 0.6, 0.8, 1.0, 1.0], rtol=1e-5)


def test_poly_ends_at_zero_and_stays_there():
    schedule = poly(base_lr=0.1, num_steps=10)
    assert float(schedule(10)) == float(schedule(12)) == 0.0
