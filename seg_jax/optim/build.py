"""An optimiser of the table, and what all of them have in common."""

import inspect
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax

from seg_jax.optim import OPTIMIZERS
from seg_jax.optim.paths import Patterns, map_paths
from seg_jax.registry import resolve


def make_optimizer(
    name: str,
    schedule: optax.Schedule,
    *,
    momentum: float,
    nesterov: bool,
    beta1: float,
    beta2: float,
    rms_decay: float,
    epsilon: float,
    weight_decay: float,
    decayed: Sequence[str],
    head_lr_multiplier: float,
    lr_multipliers: Sequence[tuple[str, float | int]],
    clip_norm: float,
) -> optax.GradientTransformation:
    """Builds an optimiser with clipping, weight decay and learning rates by parameter.

    Gradients are clipped first, then decay is added, as where PyTorch's clip_grad_norm_ comes
    before the step. A parameter's learning rate is `schedule` times its factor; the factor
    multiplies its decay, too, as in the parameter groups of Caffe and PyTorch. A factor of 0
    freezes: such parameters have no state, and their gradients do not count in the clipping.

    Args:
        name: key of OPTIMIZERS.
        schedule: learning rate by step.
        momentum: of `sgd`, `rmsprop` and `lars`.
        nesterov: of `sgd` and `lars`.
        beta1: of `adam`, `adamw` and `lamb`.
        beta2: of the same.
        rms_decay: of `rmsprop`.
        epsilon: of all but `sgd`.
        weight_decay: weight of the L2 penalty, halved as usual: d/dw (w^2 / 2) = w; of the
            decoupled decay in `adamw` and `lamb`.
        decayed: regular expressions for the paths of the parameters that are decayed. By default
            kernels, not norms and biases (He et al. 2019, arXiv:1812.01187, section 3.1).
        head_lr_multiplier: factor of the parameters outside the submodule `backbone`; 10 in
            DeepLab v1 and v2. A network without a backbone has no pretrained part to protect
            and trains at `schedule` throughout.
        lr_multipliers: pairs of a regular expression for paths and a factor; all that match a
            parameter multiply, `head_lr_multiplier` included.
        clip_norm: highest norm of all gradients together; 0 clips nothing.

    Returns:
        The optimiser; its `init` refuses patterns that match no parameter.

    Raises:
        ValueError: no such optimiser, no regular expression, or `nesterov` for an optimiser
            that does not have it.
    """
    rule = resolve(name, OPTIMIZERS, kind="optimizer", field="config.optimizer.name")
    reads = inspect.signature(rule).parameters
    if nesterov and "nesterov" not in reads:
        raise ValueError(
            f"config.optimizer.nesterov=True is a form of momentum, which {name!r} does not have. "
            "Set it to False, or config.optimizer.name to 'sgd' or 'lars'."
        )
    fields = {
        "momentum": momentum,
        "nesterov": nesterov,
        "beta1": beta1,
        "beta2": beta2,
        "rms_decay": rms_decay,
        "epsilon": epsilon,
    }
    decays = Patterns.of(decayed, field="config.optimizer.decayed")
    groups = Patterns.of(
        [pattern for pattern, _ in lr_multipliers], field="config.optimizer.lr_multipliers"
    )
    multipliers = [float(factor) for _, factor in lr_multipliers]

    def is_decayed(params):
        return map_paths(lambda path: any(decays.found_in(path)), params)

    def factors(params):
        has_backbone = "backbone" in params

        def factor(path):
            product = head_lr_multiplier
            if not has_backbone or path.startswith("backbone/"):
                product = 1.0
            for multiplier, found in zip(multipliers, groups.found_in(path), strict=True):
                product *= multiplier if found else 1.0
            return product

        return map_paths(factor, params)

    def is_trained(params):
        return jax.tree.map(lambda factor: factor > 0, factors(params))

    direction = rule(
        schedule,
        optax.add_decayed_weights(weight_decay, mask=is_decayed),
        **{field: value for field, value in fields.items() if field in reads},
    )
    clip = optax.clip_by_global_norm(clip_norm) if clip_norm else optax.identity()
    tx = optax.chain(
        optax.masked(optax.chain(clip, direction), is_trained),
        optax.stateless(lambda updates, _: jax.tree.map(_scaled, updates, factors(updates))),
    )

    def init(params):
        decays.check(params)
        groups.check(params)
        return tx.init(params)

    return optax.GradientTransformation(init, tx.update)


def _scaled(update: jax.Array, factor: Any) -> jax.Array:
    """Multiplies; 0 is no factor but an end, even of a gradient that is not a number."""
    return update * factor if factor else jnp.zeros_like(update)
