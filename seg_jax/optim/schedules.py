"""Learning rates as pure functions of the step."""

import jax.numpy as jnp
import optax


def poly(
    *, base_lr: float, num_steps: int, power: float = 0.9, warmup_steps: int = 0
) -> optax.Schedule:
    """Returns base_lr * (1 - step / num_steps) ** power (DeepLab, arXiv:1606.00915, section 4.1.1).

    Args:
        base_lr: learning rate at step 0, or where the warm-up ends.
        num_steps: step at which the rate reaches 0.
        power: 0.9 in every paper that uses it.
        warmup_steps: steps over which a linear ramp from 0 multiplies the rate.
    """

    def schedule(step):
        step = jnp.asarray(step, jnp.float32)
        decay = jnp.clip(1.0 - step / num_steps, 0.0, 1.0) ** power
        return base_lr * decay * _ramp(step, warmup_steps)

    return schedule


def constant(
    *, base_lr: float, num_steps: int, power: float = 0.0, warmup_steps: int = 0
) -> optax.Schedule:
    """Returns base_lr after the warm-up, at any step; `num_steps` and `power` play no part."""
    del num_steps, power

    def schedule(step):
        return base_lr * _ramp(jnp.asarray(step, jnp.float32), warmup_steps)

    return schedule


def _ramp(step, warmup_steps: int):
    """Rises linearly to 1 at step `warmup_steps`; 1 throughout without warm-up."""
    return jnp.minimum((step + 1.0) / (warmup_steps + 1.0), 1.0)
