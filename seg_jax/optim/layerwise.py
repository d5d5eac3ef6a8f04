"""Optimisers for large batches, whose step is a share of each layer's own norm."""

from typing import Any

import jax
import optax

from seg_jax.optim.adam import scale_by_adam

TRUST_COEFFICIENT = 0.001
"""LARS's step for a learning rate of 1, as a share of the norm of the layer's weights."""


def lars(
    schedule: optax.Schedule,
    decay: optax.GradientTransformation,
    *,
    momentum: float,
    nesterov: bool,
    epsilon: float,
) -> optax.GradientTransformation:
    """Returns LARS: v = momentum * v + lr * 0.001 * |w| / |g| * g, w = w - v.

    You et al. 2017 (arXiv:1708.03888, algorithm 1), in optax's form: g holds the L2 penalty, and
    its norm is that of the sum of both, where the paper adds two norms. The learning rate is
    inside the velocity, as in the paper. Vectors (biases, scales and offsets of norms) take the
    step of SGD: their norms say nothing about the size of a good step.

    Args:
        schedule: learning rate by step.
        decay: adds the decayed weights to what it is given.
        momentum: share of the old velocity that is kept.
        nesterov: whether the step looks ahead as in `sgd`.
        epsilon: added to |g|.
    """
    return optax.chain(
        decay,
        optax.lars(
            schedule,
            trust_coefficient=TRUST_COEFFICIENT,
            eps=epsilon,
            trust_ratio_mask=_not_vectors,
            momentum=momentum,
            nesterov=nesterov,
        ),
    )


def lamb(
    schedule: optax.Schedule,
    decay: optax.GradientTransformation,
    *,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> optax.GradientTransformation:
    """Returns LAMB: u = adam + weight_decay * w, w = w - lr * |w| / |u| * u.

    You et al. 2019 (arXiv:1904.00962, algorithm 2). Vectors take the step of `adamw`.

    Args:
        schedule: learning rate by step.
        decay: adds the decayed weights to what it is given.
        beta1: of the mean of the gradients.
        beta2: of the mean of their squares.
        epsilon: added to the root of the latter; 1e-6 in the paper.
    """
    return optax.chain(
        scale_by_adam(beta1=beta1, beta2=beta2, epsilon=epsilon),
        decay,
        optax.masked(optax.scale_by_trust_ratio(), _not_vectors),
        optax.scale_by_learning_rate(schedule),
    )


def _not_vectors(params: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf.ndim > 1, params)
