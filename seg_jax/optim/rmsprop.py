"""RMSprop (Hinton, lecture 6e of Neural Networks for Machine Learning) as PyTorch has it."""

import optax


def rmsprop(
    schedule: optax.Schedule,
    decay: optax.GradientTransformation,
    *,
    rms_decay: float,
    momentum: float,
    epsilon: float,
) -> optax.GradientTransformation:
    """Returns RMSprop: v = momentum * v + g / (sqrt(mean of g^2) + epsilon), w = w - lr * v.

    The forms in use differ: `optax.rmsprop` has epsilon under the root and the learning rate
    inside the velocity, TensorFlow 1 starts the mean at 1. This one is PyTorch's.

    Args:
        schedule: learning rate by step.
        decay: adds the decayed weights to what it is given; an L2 penalty.
        rms_decay: share of the old mean of squares that is kept, PyTorch's `alpha`.
        momentum: share of the old velocity that is kept; 0 for the plain form.
        epsilon: added to the root.
    """
    return optax.chain(
        decay,
        optax.scale_by_rms(decay=rms_decay, eps=epsilon, eps_in_sqrt=False),
        optax.trace(decay=momentum),
        optax.scale_by_learning_rate(schedule),
    )
