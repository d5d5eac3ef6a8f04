"""Learning rates as pure functions of the step.

Step 0 is the first update. Every schedule keeps its last value beyond `num_steps`, and every one
is multiplied by the same linear warm-up.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import optax

ONE_CYCLE_START = 1 / 25
"""Rate of the first step of `one_cycle` as a share of the highest, PyTorch's `div_factor`."""


def poly(
    *,
    base_lr: float,
    num_steps: int,
    end_lr: float = 0.0,
    power: float = 0.9,
    warmup_steps: int = 0,
) -> optax.Schedule:
    """Returns (base_lr - end_lr) * (1 - step / num_steps) ** power + end_lr.

    DeepLab v2 (arXiv:1606.00915, section 4.1.1) ends at 0; MMSegmentation at 1e-4.

    Args:
        base_lr: learning rate at step 0, or where the warm-up ends.
        num_steps: step at which the rate reaches `end_lr`.
        end_lr: learning rate at the end.
        power: 0.9 in every paper that uses it.
        warmup_steps: steps over which a linear ramp from 0 multiplies the rate.
    """
    return _warmed(optax.polynomial_schedule(base_lr, end_lr, power, num_steps), warmup_steps)


def constant(*, base_lr: float, warmup_steps: int = 0) -> optax.Schedule:
    """Returns base_lr at any step after the warm-up."""
    return _warmed(optax.constant_schedule(base_lr), warmup_steps)


def step(
    *, base_lr: float, milestones: Sequence[int], factor: float = 0.1, warmup_steps: int = 0
) -> optax.Schedule:
    """Returns base_lr * factor ** (number of milestones passed), as PyTorch's MultiStepLR.

    Args:
        base_lr: learning rate before the first milestone.
        milestones: the first steps at which the rate is lower.
        factor: of every milestone.
        warmup_steps: steps over which a linear ramp from 0 multiplies the rate.

    Raises:
        ValueError: there is no milestone.
    """
    if not milestones:
        raise ValueError(
            "The schedule 'step' lowers the rate at config.schedule.milestones, which is (). Set "
            "it to steps such as (2000, 4000), or config.schedule.name to 'constant'."
        )
    stairs = optax.piecewise_constant_schedule(base_lr, dict.fromkeys(milestones, factor))
    return _warmed(stairs, warmup_steps)


def exponential(
    *, base_lr: float, factor: float, period: int, warmup_steps: int = 0
) -> optax.Schedule:
    """Returns base_lr * factor ** floor(step / period), constant within a period.

    Caffe's "step" policy (x0.1 every 2000 steps), and x0.995 after every epoch of the Tiramisu
    (arXiv:1611.09326, section 4.1). A factor above 1 makes the rate grow.

    Args:
        base_lr: learning rate of the first period.
        factor: of every period after it.
        period: steps of a period.
        warmup_steps: steps over which a linear ramp from 0 multiplies the rate.
    """
    decay = optax.exponential_decay(base_lr, period, factor, staircase=True)
    return _warmed(decay, warmup_steps)


def cosine(
    *, base_lr: float, num_steps: int, end_lr: float = 0.0, warmup_steps: int = 0
) -> optax.Schedule:
    """Returns half a period of a cosine from base_lr to end_lr (arXiv:1608.03983, equation 5).

    Args:
        base_lr: learning rate at step 0, or where the warm-up ends.
        num_steps: step at which the rate reaches `end_lr`; the cosine is never restarted.
        end_lr: learning rate at the end.
        warmup_steps: steps over which a linear ramp from 0 multiplies the rate.
    """
    decay = optax.cosine_decay_schedule(base_lr, num_steps, alpha=end_lr / base_lr)
    return _warmed(decay, warmup_steps)


def one_cycle(
    *,
    base_lr: float,
    num_steps: int,
    end_lr: float = 0.0,
    peak: float = 0.3,
    warmup_steps: int = 0,
) -> optax.Schedule:
    """Returns a rise to base_lr and a fall to end_lr, half a cosine each.

    The two phases of PyTorch's OneCycleLR (Smith and Topin 2017, arXiv:1708.07120) with its
    defaults: the first step is at base_lr / 25, base_lr is reached after 30 % of the run, and
    the last value, base_lr / 250000 there, is `end_lr` here. Momentum does not cycle.

    Args:
        base_lr: the highest learning rate.
        num_steps: step at which the rate reaches `end_lr`.
        end_lr: learning rate at the end.
        peak: share of the run at which the rate is `base_lr`, between 0 and 1.
        warmup_steps: steps over which a linear ramp from 0 multiplies the rate; 0 for the
            one cycle of the paper, which is a warm-up of its own.
    """
    start, top = ONE_CYCLE_START * base_lr, peak * num_steps

    def cycle(step):
        rising = _half_cosine(step / top)
        falling = _half_cosine((step - top) / (num_steps - top))
        up = base_lr + (start - base_lr) * rising
        down = end_lr + (base_lr - end_lr) * falling
        return jnp.where(step < top, up, down)

    return _warmed(cycle, warmup_steps)


def _half_cosine(progress: jax.Array) -> jax.Array:
    """Falls from 1 at progress 0 to 0 at progress 1, and stays there."""
    return 0.5 * (1.0 + jnp.cos(jnp.pi * jnp.clip(progress, 0.0, 1.0)))


def _warmed(schedule: optax.Schedule, warmup_steps: int) -> optax.Schedule:
    """Returns the schedule in float32, multiplied by the warm-up."""

    def warmed(step):
        step = jnp.asarray(step, jnp.float32)
        return schedule(step) * _ramp(step, warmup_steps)

    return warmed


def _ramp(step: jax.Array, warmup_steps: int) -> jax.Array:
    """Rises linearly to 1 at step `warmup_steps`; 1 throughout without warm-up."""
    return jnp.minimum((step + 1.0) / (warmup_steps + 1.0), 1.0)
