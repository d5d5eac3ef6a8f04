"""What holds of every loss that `config.loss.terms` may name."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.labels import IGNORE_LABEL
from seg_jax.losses import LOSSES
from seg_jax.registry import resolve

OPTIONS = {"ohem": {"min_kept": 5}, "top_k": {"share": 0.3}}


@pytest.fixture(params=sorted(LOSSES))
def loss(request):
    """Every loss, with arguments that make a difference on a small image."""
    found = resolve(request.param, LOSSES, kind="loss", field="config.loss.terms")
    return functools.partial(found, **OPTIONS.get(request.param, {}))


def test_a_batch_is_the_sum_of_its_images(loss, case):
    whole = loss(case.logits, case.labels, case.varied)
    parts = [
        loss(case.logits[i : i + 1], case.labels[i : i + 1], case.varied[i : i + 1])
        for i in range(2)
    ]
    np.testing.assert_allclose(whole, np.sum(parts, axis=0), rtol=1e-6)
    assert whole[0].dtype == whole[1].dtype == jnp.float32
    assert whole[0].shape == whole[1].shape == ()


def test_what_does_not_count_has_no_influence(loss, case):
    value = jax.jit(lambda x, w: loss(x, case.labels, w))
    changed = jnp.where(case.weights[..., None] > 0, case.logits, 7 * case.logits[::-1])
    assert (changed != case.logits).any()
    np.testing.assert_allclose(
        value(case.logits, case.weights), value(changed, case.weights), rtol=1e-6
    )
    slope = jax.grad(lambda x: loss(x, case.labels, case.weights)[0])(case.logits)
    assert not slope[case.labels == IGNORE_LABEL].any()
    assert np.isfinite(slope).all()
    assert (slope[case.labels != IGNORE_LABEL] != 0).any()


def test_an_image_without_a_pixel_that_counts_adds_nothing(loss):
    logits = jax.random.normal(jax.random.key(0), (2, 4, 4, 3))
    labels = jnp.full((2, 4, 4), IGNORE_LABEL, jnp.uint8)
    (total, weight), slope = jax.value_and_grad(
        lambda x: loss(x, labels, jnp.zeros((2, 4, 4))), has_aux=True
    )(logits)
    assert total == weight == 0
    np.testing.assert_array_equal(slope, 0)


def test_certain_networks_stay_finite(loss):
    # 150 classes, of which two are shown; every score is enormous, right or wrong.
    labels = jnp.asarray(np.arange(16).reshape(1, 4, 4) % 2, jnp.uint8)
    for sign in (1.0, -1.0):
        logits = sign * 1e4 * jax.nn.one_hot(labels, 150)
        (total, weight), slope = jax.value_and_grad(
            lambda x: loss(x, labels, jnp.ones((1, 4, 4))), has_aux=True
        )(logits)
        assert np.isfinite([total, weight]).all()
        assert np.isfinite(slope).all()


def test_descent_finds_the_labels(loss, case):
    labels = jnp.where(case.labels == IGNORE_LABEL, jnp.uint8(0), case.labels)
    weights = jnp.ones(labels.shape)

    @jax.jit
    def step(logits):
        def mean(x):
            total, weight = loss(x, labels, weights)
            return total / weight

        slope = jax.grad(mean)(logits)
        return logits - 0.3 * slope / (jnp.abs(slope).max() + 1e-12)

    logits = case.logits
    before = (logits.argmax(-1) == labels.astype(jnp.int32)).mean()
    for _ in range(200):
        logits = step(logits)
    after = (logits.argmax(-1) == labels.astype(jnp.int32)).mean()
    assert before < 0.5
    assert after > 0.95
