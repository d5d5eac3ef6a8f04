"""The training step: a pure function of (state, batch), written once, for one device of many."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float, Integer

from seg_jax.preprocess import (
    Preprocessing,
    color_jitter,
    normalise,
    photometric_distortion,
)
from seg_jax.train.state import TrainState
from seg_jax.typing import Batch, Outputs

Loss = Callable[
    [Float[Array, "b ..."], Integer[Array, "b h w"]],
    tuple[Float[Array, ""], Float[Array, ""]],
]
TrainStep = Callable[[TrainState, Batch], tuple[TrainState, dict[str, Array]]]


def make_train_step(
    model: nn.Module,
    tx: optax.GradientTransformation,
    schedule: optax.Schedule,
    loss: Loss,
    presence_loss: Loss,
    preprocessing: Preprocessing,
    *,
    axis: str,
    aux_weight: float,
    presence_weight: float,
    jitter: float,
    distortion: bool = False,
) -> TrainStep:
    """Builds the per-device step; `parallel.map_train_step` maps it over `axis`.

    Gradients are of the loss summed over all devices divided by the weight summed over all
    devices, which is the gradient of the loss of the global batch: one device and many take
    the same step, even where some hold nothing but ignored pixels. Changes of
    colour are keyed by (seed, step, row of the global batch) and do not depend on the device
    count; dropout masks do.

    Args:
        model: maps a normalised image to Outputs; its batch normalisation averages over `axis`.
        tx: the optimiser, built on `schedule`.
        schedule: learning rate by step, for the log.
        loss: (logits, labels) -> (sum, weight).
        presence_loss: (presence, labels) -> (sum, weight), for networks that give presence.
        preprocessing: input statistics of the initial weights.
        axis: name of the mapped device axis.
        aux_weight: factor of every auxiliary head's loss.
        presence_weight: factor of the presence loss.
        jitter: strength of the colour jitter; 0 leaves it out.
        distortion: whether the photometric distortion follows it.

    Returns:
        The step; its scalars are the loss in nats per pixel, the gradient's norm and the
        learning rate.
    """

    def loss_fn(params, state, batch, image_keys, dropout_key):
        image = batch["image"]
        if jitter > 0:
            image = color_jitter(image_keys, image, jitter)
        if distortion:
            image = photometric_distortion(image_keys, image)
        outputs, updated = model.apply(
            {"params": params, "batch_stats": state.batch_stats},
            normalise(image, preprocessing),
            train=True,
            rngs={"dropout": dropout_key},
            mutable=["batch_stats"],
        )
        total, weight = _weighted_loss(loss, outputs, batch["label"], aux_weight)
        weight = jnp.maximum(lax.psum(weight, axis), 1.0)
        value = total / weight
        if outputs.presence is not None:
            total, weight = presence_loss(outputs.presence, batch["label"])
            value = value + presence_weight * total / lax.psum(weight, axis)
        return value, updated.get("batch_stats", {})

    def train_step(state, batch):
        key = jax.random.fold_in(jax.random.key(state.seed), state.step)
        jitter_key, dropout_key = jax.random.split(key)
        rows = batch["image"].shape[0]
        row = lax.axis_index(axis) * rows + jnp.arange(rows)
        image_keys = jax.vmap(jax.random.fold_in, in_axes=(None, 0))(jitter_key, row)
        dropout_key = jax.random.fold_in(dropout_key, lax.axis_index(axis))

        value_and_grad = jax.value_and_grad(loss_fn, has_aux=True)
        (value, stats), grads = value_and_grad(state.params, state, batch, image_keys, dropout_key)
        value, grads = lax.psum((value, grads), axis)
        updates, opt_state = tx.update(grads, state.opt_state, state.params)
        new_state = state.replace(
            step=state.step + 1,
            params=optax.apply_updates(state.params, updates),
            batch_stats=lax.pmean(stats, axis),
            opt_state=opt_state,
        )
        scalars = {
            "loss": value,
            "grad_norm": optax.tree.norm(grads),
            "learning_rate": schedule(state.step),
        }
        return new_state, scalars

    return train_step


def _weighted_loss(
    loss: Loss, outputs: Outputs, labels: Integer[Array, "b h w"], aux_weight: float
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Adds the auxiliary heads' sums to the main one; every head counts the same pixels."""
    total, weight = loss(outputs.logits, labels)
    for logits in outputs.aux.values():
        total = total + aux_weight * loss(logits, labels)[0]
    return total, weight
