"""The learning-rate range test (Smith 2017, arXiv:1506.01186, section 3.3).

A network is trained briefly while the rate grows exponentially. Its loss stays, falls, and blows
up; a good rate lies where it falls fastest.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator

import jax
import numpy as np
from jaxtyping import Float

from seg_jax.train.state import TrainState
from seg_jax.typing import Batch

SMOOTHING = 0.9
"""Share of the average loss that is kept at a step; it spans ten steps."""
EXPLODED = 4.0
"""The test ends where the smoothed loss is so many times its lowest value."""
SETTLED = 10
"""Points of the smoothed curve that average too few losses to be trusted."""
FALL = 0.1
"""Share by which the smoothed loss has to fall; less may be the noise of the batches."""


class NoRateError(RuntimeError):
    """The curve suggests no learning rate; the message says what to change."""


@dataclasses.dataclass(frozen=True)
class RangeTest:
    """What the steps of a range test gave.

    Attributes:
        rates: learning rate of each step, ascending.
        losses: loss of each step's batch, before the step; finite.
        smoothed_rates: rates at which the smoothed losses hold.
        smoothed_losses: exponential moving averages of the losses.
    """

    rates: Float[np.ndarray, " n"]
    losses: Float[np.ndarray, " n"]
    smoothed_rates: Float[np.ndarray, " n"]
    smoothed_losses: Float[np.ndarray, " n"]


@dataclasses.dataclass(frozen=True)
class Suggestion:
    """Learning rates read off a curve.

    Attributes:
        steepest: where the smoothed loss falls fastest over the logarithm of the rate.
        lowest: where it is lowest; too high to train at.
    """

    steepest: float
    lowest: float

    @property
    def tenth(self) -> float:
        """A tenth of `lowest`, the other rule in use."""
        return self.lowest / 10


def range_test(
    step_fn: Callable[[TrainState, Batch], tuple[TrainState, dict[str, jax.Array]]],
    state: TrainState,
    batches: Iterator[Batch],
    *,
    num_steps: int,
    on_step: Callable[[int, float, float], None],
) -> RangeTest:
    """Trains until the loss explodes, or for `num_steps` steps.

    Args:
        step_fn: the mapped train step; its scalars hold "loss" and a growing "learning_rate".
        state: where to start; its memory may be reused.
        batches: stream of training batches.
        num_steps: most steps to take.
        on_step: called after every step with its number from 1, its rate and its loss.

    Raises:
        NoRateError: the first loss is not a finite number.
    """
    rates: list[float] = []
    losses: list[float] = []
    lowest = math.inf
    for step in range(1, num_steps + 1):
        state, scalars = step_fn(state, next(batches))
        rate, loss = (float(scalars[name]) for name in ("learning_rate", "loss"))
        on_step(step, rate, loss)
        if not math.isfinite(loss):
            break
        rates.append(rate)
        losses.append(loss)
        smoothed = float(smooth(np.array(losses))[-1])
        lowest = min(lowest, smoothed)
        if smoothed > EXPLODED * lowest:
            break
    if not losses:
        raise NoRateError(
            "The loss is no finite number at the first step, before any learning. Check the labels "
            "and the config's loss with `python launch.py doctor`."
        )
    every_rate, every_loss = np.array(rates), np.array(losses)
    # Averaging delays. Rates averaged with the same weights are delayed as much, so that the
    # curve lies where the losses do.
    smoothed_rates = np.exp(smooth(np.log(every_rate)))
    return RangeTest(every_rate, every_loss, smoothed_rates, smooth(every_loss))


def smooth(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Exponential moving average, corrected for its start at 0 as the means of Adam are."""
    averages, average = [], 0.0
    for count, value in enumerate(values, start=1):
        average = SMOOTHING * average + (1 - SMOOTHING) * float(value)
        averages.append(average / (1 - SMOOTHING**count))
    return np.array(averages)


def suggest(curve: RangeTest) -> Suggestion:
    """Reads learning rates off the smoothed curve, between its start and its lowest point.

    Slopes are those of straight lines fitted to a fifth of the curve, ten steps to either side
    at least.

    Raises:
        NoRateError: the loss hardly falls, or still falls at the highest rate.
    """
    losses, places = curve.smoothed_losses, np.log(curve.smoothed_rates)
    bottom = int(np.argmin(losses))
    if bottom <= SETTLED or losses[bottom] > (1 - FALL) * losses[SETTLED]:
        raise NoRateError(
            f"The loss falls by less than {FALL:.0%} at rates from {curve.rates[0]:.1e} to "
            f"{curve.rates[-1]:.1e}. Lower --min_lr or raise --max_lr, or check the labels with "
            "`python launch.py doctor`."
        )
    if bottom == len(losses) - 1:
        raise NoRateError(
            f"The loss still falls at the highest rate, {curve.rates[-1]:.1e}. Raise --max_lr."
        )
    # Slopes between neighbours are those of the noise of single batches.
    reach = max(SETTLED, len(losses) // 10)
    slopes = []
    for i in range(SETTLED, bottom + 1):
        around = slice(max(i - reach, 0), i + reach + 1)
        slopes.append(np.polyfit(places[around], losses[around], 1)[0])
    steepest = SETTLED + int(np.argmin(slopes))
    return Suggestion(float(curve.smoothed_rates[steepest]), float(curve.smoothed_rates[bottom]))
