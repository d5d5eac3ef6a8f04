"""Batch normalisation: which statistics are used, recorded and shared."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from seg_jax.layers.norm import batch_norm, identity_norm


def features(batch):
    return jnp.asarray(3 + 2 * np.random.RandomState(0).randn(batch, 4, 5, 2), jnp.float32)


def test_training_uses_and_records_batch_statistics():
    x = features(4)
    norm = batch_norm(train=True, momentum=0.75)(name=None)
    variables = norm.init(jax.random.key(0), x)
    y, updated = norm.apply(variables, x, mutable=["batch_stats"])
    np.testing.assert_allclose(y.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(y.std((0, 1, 2)), 1, atol=1e-4)
    recorded = updated["batch_stats"]["mean"]
    np.testing.assert_allclose(recorded, 0.25 * x.mean((0, 1, 2)), rtol=1e-5)


def test_evaluation_uses_recorded_statistics():
    x = features(4)
    norm = batch_norm(train=False, epsilon=0.0)(name=None)
    variables = norm.init(jax.random.key(0), x)
    np.testing.assert_allclose(norm.apply(variables, x), x, atol=1e-6)


def test_devices_share_their_statistics():
    x = features(4)
    alone = batch_norm(train=True)(name=None)
    shared = batch_norm(train=True, axis="device")(name=None)
    variables = alone.init(jax.random.key(0), x)
    expected, _ = alone.apply(variables, x, mutable=["batch_stats"])
    mapped = partial(shared.apply, variables, mutable=["batch_stats"])
    actual, _ = jax.vmap(mapped, axis_name="device")(x[:, None])
    np.testing.assert_allclose(actual[:, 0], expected, atol=1e-5)


def test_identity_norm_does_nothing():
    x = features(2)
    norm = identity_norm(name=None)
    variables = norm.init(jax.random.key(0), x)
    assert not variables
    np.testing.assert_array_equal(norm.apply(variables, x), x)
