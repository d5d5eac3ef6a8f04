"""Stochastic gradient descent as Caffe and PyTorch have it."""

import optax


def sgd(
    schedule: optax.Schedule,
    decay: optax.GradientTransformation,
    *,
    momentum: float,
    nesterov: bool,
) -> optax.GradientTransformation:
    """Returns SGD with momentum: v = momentum * v + g, w = w - lr * v.

    The decay is the gradient of an L2 penalty and goes through the momentum. The learning rate
    multiplies outside of it, so that a change of the rate acts on the whole velocity at once.

    Args:
        schedule: learning rate by step.
        decay: adds the decayed weights to what it is given.
        momentum: share of the old velocity that is kept; 0.99 is the "heavy" learning of FCN.
        nesterov: steps along g + momentum * v instead, PyTorch's form of Nesterov's momentum.
    """
    return optax.chain(
        decay,
        optax.trace(decay=momentum, nesterov=nesterov),
        optax.scale_by_learning_rate(schedule),
    )
