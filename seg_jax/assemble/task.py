"""The network, the optimiser and what belongs to them."""

import dataclasses
import inspect

import jax
import optax
from flax import linen as nn

from seg_jax.config import Config, ConfigError, to_dict
from seg_jax.data.catalogue import spec_of
from seg_jax.data.spec import DatasetSpec
from seg_jax.describe import Description, describe
from seg_jax.models.build import build_model
from seg_jax.optim import SCHEDULES
from seg_jax.optim.build import make_optimizer
from seg_jax.preprocess import IMAGENET, Preprocessing
from seg_jax.registry import resolve
from seg_jax.train.batch_plan import plan_batch
from seg_jax.train.parallel import Layout, axis_of, make_layout


@dataclasses.dataclass(frozen=True)
class Task:
    """What the train and the eval command share.

    Attributes:
        config: the resolved config.
        spec: the dataset's classes, palette and probes.
        model: the network.
        preprocessing: input statistics of the initial weights.
        tx: the optimiser.
        schedule: learning rate by step.
        layout: the devices, and how arrays lie on them.
        micro_batches: parts in which a device takes its rows of a training batch.
    """

    config: Config
    spec: DatasetSpec
    model: nn.Module
    preprocessing: Preprocessing
    tx: optax.GradientTransformation
    schedule: optax.Schedule
    layout: Layout
    micro_batches: int


def assemble(config: Config) -> Task:
    """Builds the network and the optimiser; reads no data and allocates no parameters.

    Raises:
        ValueError: the batch does not split over the devices, or the architecture refuses
            a field of its section.
    """
    parallel = config.parallel
    layout = make_layout(parallel.backend, height_shards=parallel.height_shards)
    layout.check_height(config.augment.crop_size[0], field="config.augment.crop_size")
    devices = {"devices": jax.device_count(), "height_shards": parallel.height_shards}
    micro_batches = plan_batch(
        config.train.batch_size,
        device_batch_size=parallel.device_batch_size,
        field="config.train.batch_size",
        **devices,
    )
    plan_batch(config.evaluate.batch_size, field="config.evaluate.batch_size", **devices)
    spec = spec_of(config.dataset.name, config.dataset.folder.to_dict())
    schedule = make_schedule(config)
    optimizer = config.optimizer
    tx = make_optimizer(
        optimizer.name,
        schedule,
        momentum=optimizer.momentum,
        nesterov=optimizer.nesterov,
        beta1=optimizer.beta1,
        beta2=optimizer.beta2,
        rms_decay=optimizer.rms_decay,
        epsilon=optimizer.epsilon,
        weight_decay=optimizer.weight_decay,
        decayed=tuple(optimizer.decayed),
        head_lr_multiplier=optimizer.head_lr_multiplier,
        lr_multipliers=tuple(optimizer.lr_multipliers),
        clip_norm=optimizer.clip_norm,
    )
    model = build_model(
        to_dict(config.model), num_classes=spec.num_classes, axis=axis_of(parallel.backend)
    )
    _refuse_norm(config)
    return Task(config, spec, model, IMAGENET, tx, schedule, layout, micro_batches)


def _refuse_norm(config: Config) -> None:
    """Refuses statistics of a device's own where the step sees the global batch."""
    name = (config.model.get("norm") or {}).get("name", "")
    if config.parallel.backend == "mesh" and name == "batch_per_device":
        raise ConfigError(
            "config.model.norm.name='batch_per_device' needs a step for every device, which "
            "config.parallel.backend='mesh' has not. Set it to 'shard_map', or the norm to "
            "'batch'."
        )


def make_schedule(config: Config) -> optax.Schedule:
    """Returns the learning rate by step; a schedule is given the fields that it reads."""
    factory = resolve(
        config.schedule.name, SCHEDULES, kind="schedule", field="config.schedule.name"
    )
    fields = {**config.schedule.to_dict(), "num_steps": config.train.num_steps}
    return factory(**{name: fields[name] for name in inspect.signature(factory).parameters})


def describe_task(task: Task) -> Description:
    """Describes a config's network without allocating its weights."""
    return describe(task.model, tuple(task.config.dataset.size or task.config.augment.crop_size))
