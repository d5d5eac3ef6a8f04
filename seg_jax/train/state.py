"""Everything a training run has to remember, as one pytree."""

from typing import Any

import flax.struct
import jax.numpy as jnp
import optax


@flax.struct.dataclass
class TrainState:
    """What a checkpoint holds.

    The data stream and every random draw are functions of (seed, step), so neither an
    iterator's nor a generator's state is kept. Fields are not typed more closely because
    JAX also fills pytrees with shapes, shardings and placeholders.

    Attributes:
        step: number of updates taken, int32.
        seed: of every random draw inside the step, uint32. An array rather than a Python
            number, so that two seeds share one compiled program.
        params: trained parameters.
        batch_stats: running statistics of batch normalisation; empty without it.
        opt_state: of the optimiser.
    """

    step: Any
    seed: Any
    params: Any
    batch_stats: Any
    opt_state: Any


def create_state(variables: Any, tx: optax.GradientTransformation, *, seed: int) -> TrainState:
    """Returns the state before the first step.

    Args:
        variables: the model's variables, "params" and possibly "batch_stats".
        tx: the optimiser.
        seed: in [0, 2**32).
    """
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        seed=jnp.asarray(seed, jnp.uint32),
        params=variables["params"],
        batch_stats=variables.get("batch_stats", {}),
        opt_state=tx.init(variables["params"]),
    )
