"""Everything a training run has to remember, as one pytree."""

from typing import Any

import flax.struct
import jax
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
        ema: exponential moving averages of `params` and `batch_stats`, under these names;
            empty where none are kept.
    """

    step: Any
    seed: Any
    params: Any
    batch_stats: Any
    opt_state: Any
    ema: Any

    @property
    def variables(self) -> dict[str, Any]:
        """What the model is evaluated with: the averages, where they are kept."""
        return dict(self.ema) or {"params": self.params, "batch_stats": self.batch_stats}


def create_state(
    variables: Any, tx: optax.GradientTransformation, *, seed: int, ema: bool = False
) -> TrainState:
    """Returns the state before the first step.

    Args:
        variables: the model's variables, "params" and possibly "batch_stats".
        tx: the optimiser.
        seed: in [0, 2**32).
        ema: whether averages of the weights are kept.
    """
    params, batch_stats = variables["params"], variables.get("batch_stats", {})
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        seed=jnp.asarray(seed, jnp.uint32),
        params=params,
        batch_stats=batch_stats,
        opt_state=tx.init(params),
        # Copies: the step reuses the memory of its old state, and may not be given one twice.
        ema=jax.tree.map(jnp.array, {"params": params, "batch_stats": batch_stats}) if ema else {},
    )
