"""Cross-entropy against a plain loop; what is ignored counts nowhere."""

import jax
import jax.numpy as jnp
import numpy as np

from seg_jax.labels import IGNORE_LABEL
from seg_jax.losses.cross_entropy import softmax_cross_entropy


def test_sum_and_weight_equal_a_loop_over_pixels():
    random = np.random.RandomState(0)
    logits = random.randn(2, 3, 4, 5).astype(np.float32)
    labels = random.randint(0, 5, (2, 3, 4)).astype(np.uint8)
    labels[0, 0, :2] = IGNORE_LABEL
    expected, count = 0.0, 0
    for index in np.ndindex(labels.shape):
        if labels[index] != IGNORE_LABEL:
            row = logits[index].astype(np.float64)
            expected += np.log(np.exp(row).sum()) - row[labels[index]]
            count += 1
    total, weight = softmax_cross_entropy(jnp.asarray(logits), jnp.asarray(labels))
    np.testing.assert_allclose(total, expected, rtol=1e-6)
    assert weight == count == 22


def test_ignored_pixels_have_no_gradient_and_all_ignored_is_zero():
    logits = jax.random.normal(jax.random.key(0), (1, 2, 2, 3))
    labels = jnp.array([[[0, IGNORE_LABEL], [2, 1]]], jnp.uint8)
    grad = jax.grad(lambda x: softmax_cross_entropy(x, labels)[0])(logits)
    assert not grad[0, 0, 1].any()
    assert grad[0, 0, 0].any()
    total, weight = softmax_cross_entropy(logits, jnp.full_like(labels, IGNORE_LABEL))
    assert total == 0
    assert weight == 0
