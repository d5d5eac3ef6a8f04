"""The compiled steps of a task: training and evaluation, mapped over the devices."""

from collections.abc import Callable, Sequence
from typing import Any

from seg_jax.assemble.task import Task
from seg_jax.config import Config, to_dict
from seg_jax.evaluate.protocol import Protocol
from seg_jax.evaluate.step import EvalStep
from seg_jax.layers.lowering import use_lowering
from seg_jax.layers.remat import POLICIES
from seg_jax.losses.objective import make_objective
from seg_jax.models.build import at_output_stride, build_model
from seg_jax.train.step import make_train_step


def train_step(task: Task, *, class_weights: Sequence[float] = ()) -> Callable[..., Any]:
    """Returns the mapped train step.

    Args:
        task: what to train.
        class_weights: how much a pixel of each class counts; empty for 1 everywhere.
    """
    config = task.config
    step = make_train_step(
        task.model,
        task.tx,
        task.schedule,
        make_objective(
            config.loss.terms.to_dict(),
            num_classes=task.spec.num_classes,
            class_weights=class_weights,
            aux_weight=config.loss.aux_weight,
            presence_weight=config.loss.presence_weight,
        ),
        task.preprocessing,
        axis=task.layout.axis,
        micro_batches=task.micro_batches,
        ema_decay=config.train.ema_decay,
        jitter=config.augment.color_jitter,
        distortion=config.augment.photometric_distortion,
        checkpoint_policy=POLICIES[config.train.remat] if config.train.remat else None,
    )
    return task.layout.map_train_step(_for_shared_heights(task, step))


def eval_step(
    task: Task,
    protocol: Protocol,
    *,
    boundary_widths: Sequence[int] = (),
    probabilities: bool = False,
) -> EvalStep:
    """Returns the mapped evaluation step.

    Args:
        task: what to evaluate.
        protocol: what happens to the images.
        boundary_widths: half-widths in pixels of the boundary bands to count, too.
        probabilities: whether the step returns them.

    Raises:
        ValueError: the network cannot have the protocol's output stride.
    """
    model = task.model
    if protocol.output_stride:
        section = at_output_stride(to_dict(task.config.model), protocol.output_stride)
        axis = task.layout.axis
        model = build_model(section, num_classes=task.spec.num_classes, axis=axis)
    return EvalStep(
        model,
        task.preprocessing,
        protocol,
        lambda fn: task.layout.map_eval_step(_for_shared_heights(task, fn)),
        num_classes=task.spec.num_classes,
        band_widths=boundary_widths,
        probabilities=probabilities,
    )


def _for_shared_heights(task: Task, fn: Callable[..., Any]) -> Callable[..., Any]:
    """Returns `fn` with XLA's own convolutions where devices share images.

    The other forms of a convolution more than double what the devices exchange.
    """
    if task.layout.height_shards == 1:
        return fn

    def run(state: Any, batch: Any) -> Any:
        with use_lowering("lax"):
            return fn(state, batch)

    return run


def protocol_of(config: Config) -> Protocol:
    """Returns the evaluation protocol that a config states."""
    evaluate = config.evaluate
    return Protocol(
        resize=evaluate.resize,
        base_size=tuple(evaluate.base_size),
        labels=evaluate.labels,
        window=evaluate.window,
        window_size=tuple(evaluate.window_size),
        window_stride=tuple(evaluate.window_stride),
        scales=tuple(evaluate.scales),
        flip=evaluate.flip,
        rotations=evaluate.rotations,
        output_stride=evaluate.output_stride,
    )
