"""The training step: a pure function of (state, batch), written once, for one device of many."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float

from seg_jax.preprocess import (
    Preprocessing,
    color_jitter,
    normalise,
    photometric_distortion,
)
from seg_jax.train.state import TrainState
from seg_jax.typing import Batch, Outputs, Term

Objective = Callable[[Outputs, Batch], Mapping[str, Term]]
TrainStep = Callable[[TrainState, Batch], tuple[TrainState, dict[str, Array]]]


def make_train_step(
    model: nn.Module,
    tx: optax.GradientTransformation,
    schedule: optax.Schedule,
    objective: Objective,
    preprocessing: Preprocessing,
    *,
    axis: str | None,
    micro_batches: int = 1,
    ema_decay: float = 0.0,
    jitter: float = 0.0,
    distortion: bool = False,
    checkpoint_policy: Callable[..., Any] | None = None,
) -> TrainStep:
    """Builds the per-device step; `parallel` maps it over `axis`.

    Gradients are of each term's sum over the global batch divided by its weight over the global
    batch: one device and many, one micro-batch and many take the same step, even where some hold
    nothing but ignored pixels. Batch normalisation alone sees a micro-batch at a time, as
    gradients are accumulated everywhere. Changes of colour are keyed by (seed, step, row of the
    global batch) and depend neither on the devices nor on the micro-batches.

    Args:
        model: maps a normalised image to Outputs; its batch normalisation averages over `axis`.
        tx: the optimiser, built on `schedule`.
        schedule: learning rate by step, for the log.
        objective: (outputs, batch) -> the loss's terms by name.
        preprocessing: input statistics of the initial weights.
        axis: name of the mapped device axis; `None` where the step sees the global batch and
            the compiler distributes it.
        micro_batches: parts into which a device's rows are cut, one after the other; divides
            their number.
        ema_decay: share of the averaged weights kept at a step, less in the first steps; 0 keeps
            no averages.
        jitter: strength of the colour jitter; 0 leaves it out.
        distortion: whether the photometric distortion follows it.
        checkpoint_policy: which intermediate results of the forward pass are kept for the
            backward pass, the others being computed again; `None` keeps all.

    Returns:
        The step; its scalars are "loss", "loss/NAME" for every term where there are several, the
        norm of the whole gradient, frozen parameters included, and the learning rate.
    """

    def add(tree):
        return tree if axis is None else lax.psum(tree, axis)

    def forward(params, batch_stats, image, dropout_key):
        return model.apply(
            {"params": params, "batch_stats": batch_stats},
            image,
            train=True,
            rngs={"dropout": dropout_key},
            mutable=["batch_stats"],
        )

    if checkpoint_policy is not None:
        forward = jax.checkpoint(forward, policy=checkpoint_policy)

    def changed(image, keys):
        if jitter > 0:
            image = color_jitter(keys, image, jitter)
        if distortion:
            image = photometric_distortion(keys, image)
        return normalise(image, preprocessing)

    def measure(params, batch_stats, batch, image_keys, dropout_key):
        """Returns the terms' sums, and what is not differentiated: the terms, statistics."""
        image = changed(batch["image"], image_keys)
        outputs, updated = forward(params, batch_stats, image, dropout_key)
        # In the order that JAX gives the keys of a dict.
        terms = dict(sorted(objective(outputs, batch).items()))
        sums = jnp.stack([term.sum for term in terms.values()])
        return sums, (terms, updated.get("batch_stats", {}))

    def whole(state, batch, image_keys, dropout_key):
        """One backward pass: the weights are known before it."""
        run = functools.partial(
            measure,
            batch_stats=state.batch_stats,
            batch=batch,
            image_keys=image_keys,
            dropout_key=dropout_key,
        )
        _, backward, (terms, stats) = jax.vjp(run, state.params, has_aux=True)
        terms = add(terms)
        (grads,) = backward(_shares(terms))
        return add(grads), terms, stats

    def accumulated(state, batch, image_keys, dropout_key):
        """A backward pass a term and micro-batch: the weights are known after the last one."""
        # Every micro-batch takes rows from everywhere, so that none moves between devices.
        cut = functools.partial(_cut, parts=micro_batches)
        parts = jax.tree.map(cut, {**batch, "keys": image_keys})

        def one(number, stats):
            part = jax.tree.map(lambda x: x[number], parts)
            keys = part.pop("keys")
            run = functools.partial(
                measure,
                batch_stats=stats,
                batch=part,
                image_keys=keys,
                dropout_key=jax.random.fold_in(dropout_key, number),
            )
            sums, backward, (terms, stats) = jax.vjp(run, state.params, has_aux=True)
            (grads,) = jax.vmap(backward)(jnp.eye(len(terms), dtype=sums.dtype))
            return grads, terms, stats

        def body(carry, number):
            grads, terms, stats = carry
            more_grads, more_terms, stats = one(number, stats)
            return (_sum(grads, more_grads), _sum(terms, more_terms), stats), None

        first = one(jnp.int32(0), state.batch_stats)
        (grads, terms, stats), _ = lax.scan(
            body, first, jnp.arange(1, micro_batches, dtype=jnp.int32)
        )
        grads, terms = add((grads, terms))
        shares = _shares(terms)
        return jax.tree.map(lambda g: jnp.tensordot(shares, g, 1), grads), terms, stats

    gradients = whole if micro_batches == 1 else accumulated

    def train_step(state, batch):
        key = jax.random.fold_in(jax.random.key(state.seed), state.step)
        jitter_key, dropout_key = jax.random.split(key)
        rows = batch["image"].shape[0]
        first_row = 0 if axis is None else lax.axis_index(axis) * rows
        row = first_row + jnp.arange(rows)
        image_keys = jax.vmap(jax.random.fold_in, in_axes=(None, 0))(jitter_key, row)

        grads, terms, stats = gradients(state, batch, image_keys, dropout_key)
        updates, opt_state = tx.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        stats = stats if axis is None else lax.pmean(stats, axis)
        new_state = state.replace(
            step=state.step + 1,
            params=params,
            batch_stats=stats,
            opt_state=opt_state,
            ema=_averaged(state, {"params": params, "batch_stats": stats}, ema_decay),
        )
        scalars = {
            **_losses(terms),
            "grad_norm": optax.tree.norm(grads),
            "learning_rate": schedule(state.step),
        }
        return new_state, scalars

    return train_step


def _cut(x: Array, parts: int) -> Array:
    """[b, ...] -> [parts, b / parts, ...], row i going to part i modulo `parts`."""
    return x.reshape(x.shape[0] // parts, parts, *x.shape[1:]).swapaxes(0, 1)


def _sum(one: Any, other: Any) -> Any:
    return jax.tree.map(jnp.add, one, other)


def _shares(terms: Mapping[str, Term]) -> Float[Array, "t"]:
    """Returns what the sum of each term is multiplied by; terms are of the global batch."""
    return jnp.stack([term.factor / _divisor(term.weight) for term in terms.values()])


def _divisor(weight: Float[Array, ""]) -> Float[Array, ""]:
    return jnp.where(weight > 0, weight, jnp.ones_like(weight))


def _losses(terms: Mapping[str, Term]) -> dict[str, Array]:
    """Returns the loss, and before their factors the terms it is made of if there are several."""
    values = {name: term.sum / _divisor(term.weight) for name, term in terms.items()}
    total = jnp.sum(jnp.stack([term.factor * values[name] for name, term in terms.items()]))
    parts = {f"loss/{name}": value for name, value in values.items()} if len(values) > 1 else {}
    return {"loss": total, **parts}


def _averaged(state: TrainState, variables: dict[str, Any], decay: float) -> dict[str, Any]:
    """Returns the averages after a step.

    The first ones follow faster, min(decay, (1 + t) / (10 + t)), so that the random start is
    soon forgotten: TensorFlow's ExponentialMovingAverage with `num_updates`.
    """
    if not decay:
        return {}
    step = state.step.astype(jnp.float32)
    kept = jnp.minimum(decay, (1.0 + step) / (10.0 + step))
    return jax.tree.map(lambda old, new: kept * old + (1.0 - kept) * new, state.ema, variables)
