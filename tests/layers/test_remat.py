"""Policies keep what they name, and change memory but no number."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.initialise import initialise
from seg_jax.layers.remat import POLICIES
from seg_jax.models.build import build_model

SECTION = {
    "name": "deeplab_v3",
    "head_features": 8,
    "atrous_rates": [1, 2],
    "backbone": {"name": "resnet18", "width": 8},
}


def gradient(policy):
    model = build_model(SECTION, num_classes=3, axis=None)
    variables = initialise(model, (1, 64, 64, 3), 0)
    image = jnp.asarray(np.random.RandomState(0).randn(2, 64, 64, 3), jnp.float32)

    def forward(params, image):
        outputs, _ = model.apply(
            {**variables, "params": params},
            image,
            train=True,
            mutable=["batch_stats"],
            rngs={"dropout": jax.random.key(0)},
        )
        return outputs.logits

    if policy:
        forward = jax.checkpoint(forward, policy=POLICIES[policy])
    compiled = jax.jit(jax.grad(lambda *args: jnp.square(forward(*args)).mean()))
    return compiled, (variables["params"], image), partial(forward, variables["params"])


def test_policies_change_no_gradient():
    compiled, arguments, _ = gradient("")
    expected = compiled(*arguments)
    for policy in POLICIES:
        compiled, arguments, _ = gradient(policy)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6, rtol=1e-4),
            compiled(*arguments),
            expected,
        )


def saved_bytes(policy):
    """Bytes of the arrays that the backward pass holds on to."""
    _, _, forward = gradient(policy)
    image = jnp.zeros((2, 320, 320, 3))  # only traced; large, so that parameters do not matter
    _, backward = jax.eval_shape(partial(jax.vjp, forward), image)
    return sum(np.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(backward))


@pytest.mark.parametrize(("policy", "share"), [("convs", 0.6), ("blocks", 0.3)])
def test_policies_keep_less(policy, share):
    assert saved_bytes(policy) < share * saved_bytes("")
