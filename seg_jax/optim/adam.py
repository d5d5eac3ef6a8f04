"""Adam (arXiv:1412.6980) with an L2 penalty, and with decoupled decay (arXiv:1711.05101)."""

import jax
import optax


def adam(
    schedule: optax.Schedule,
    decay: optax.GradientTransformation,
    *,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> optax.GradientTransformation:
    """Returns Adam whose decay is the gradient of an L2 penalty, as PyTorch's Adam.

    The penalty is divided by the gradient's magnitude like the rest: weights with large
    gradients are decayed less than those with small ones. `adamw` decays all alike.

    Args:
        schedule: learning rate by step.
        decay: adds the decayed weights to what it is given.
        beta1: of the mean of the gradients.
        beta2: of the mean of their squares.
        epsilon: added to the root of the latter.
    """
    return optax.chain(
        decay,
        scale_by_adam(beta1=beta1, beta2=beta2, epsilon=epsilon),
        optax.scale_by_learning_rate(schedule),
    )


def adamw(
    schedule: optax.Schedule,
    decay: optax.GradientTransformation,
    *,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> optax.GradientTransformation:
    """Returns Adam with decoupled decay: w = w - lr * (adam + weight_decay * w), as PyTorch.

    The paper's decay does not depend on the base rate, only on its course; PyTorch's is
    multiplied by the whole rate, and so is this one.

    Args:
        schedule: learning rate by step.
        decay: adds the decayed weights to what it is given.
        beta1: of the mean of the gradients.
        beta2: of the mean of their squares.
        epsilon: added to the root of the latter.
    """
    return optax.chain(
        scale_by_adam(beta1=beta1, beta2=beta2, epsilon=epsilon),
        decay,
        optax.scale_by_learning_rate(schedule),
    )


def scale_by_adam(*, beta1: float, beta2: float, epsilon: float) -> optax.GradientTransformation:
    """Returns Adam's direction: mean of g / (sqrt(mean of g^2) + epsilon), both bias-corrected."""
    tx = optax.scale_by_adam(b1=beta1, b2=beta2, eps=epsilon)

    def update(updates, state, params=None):
        # optax raises a float to the power of an int32, which strict promotion refuses.
        with jax.numpy_dtype_promotion("standard"):
            return tx.update(updates, state, params)

    return optax.GradientTransformation(tx.init, update)
