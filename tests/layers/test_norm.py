"""Norms: which statistics are used, recorded and shared."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.layers.norm import (
    NORMS,
    batch_norm,
    frozen_batch_norm,
    group_norm,
    identity_norm,
    per_device_batch_norm,
)


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


def test_per_device_statistics_are_those_of_the_rows_a_device_holds():
    x = features(4)
    norm = per_device_batch_norm(train=True, axis="device")(name=None)
    variables = norm.init(jax.random.key(0), x)
    mapped = partial(norm.apply, variables, mutable=["batch_stats"])
    actual, _ = jax.vmap(mapped, axis_name="device")(x.reshape(2, 2, *x.shape[1:]))
    np.testing.assert_allclose(actual.mean((1, 2, 3)), 0, atol=1e-5)


def test_frozen_statistics_are_used_and_kept_in_training():
    x = features(4)
    norm = frozen_batch_norm(train=True, axis="device", epsilon=0.0)(name=None)
    variables = norm.init(jax.random.key(0), x)
    y, updated = norm.apply(variables, x, mutable=["batch_stats"])
    np.testing.assert_allclose(y, x, atol=1e-6)
    jax.tree.map(np.testing.assert_array_equal, updated["batch_stats"], variables["batch_stats"])


@pytest.mark.parametrize(("channels", "expected"), [(8, 4), (6, 2), (5, 1)])
def test_groups_are_normalised_image_by_image(channels, expected):
    x = jnp.asarray(3 + 2 * np.random.RandomState(0).randn(2, 4, 5, channels), jnp.float32)
    norm = group_norm(train=True, groups=4)(name=None)
    variables = norm.init(jax.random.key(0), x)
    assert set(variables["params"]) == {"scale", "bias"}
    grouped = np.asarray(norm.apply(variables, x)).reshape(2, 20, expected, channels // expected)
    np.testing.assert_allclose(grouped.mean((1, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(grouped.std((1, 3)), 1, atol=1e-3)


@pytest.mark.parametrize("name", sorted(NORMS))
def test_the_dtype_of_the_input_stays(name):
    x = features(4).astype(jnp.bfloat16)
    norm = NORMS[name](False)(name=None)
    variables = norm.init(jax.random.key(0), x)
    assert norm.apply(variables, x).dtype == jnp.bfloat16
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(variables))
