"""Turns a validated config into the objects that run it; configs stop here.

Everything below this file takes plain arguments.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import optax
from flax import linen as nn

from seg_jax.config import Config, to_dict
from seg_jax.data.augment import Augmentation
from seg_jax.data.catalogue import spec_of
from seg_jax.data.example import Source
from seg_jax.data.pipeline.evaluate import eval_batches
from seg_jax.data.pipeline.train import TrainBatches, train_batches
from seg_jax.data.source import open_source
from seg_jax.data.spec import DatasetSpec
from seg_jax.data.views import CachedSource, ResizedSource
from seg_jax.describe import Description, describe
from seg_jax.evaluate.step import make_eval_step
from seg_jax.losses.cross_entropy import softmax_cross_entropy
from seg_jax.losses.presence import presence_cross_entropy
from seg_jax.models.build import build_model
from seg_jax.optim import OPTIMIZERS, SCHEDULES
from seg_jax.preprocess import IMAGENET, Preprocessing
from seg_jax.registry import resolve
from seg_jax.train.parallel import (
    AXIS,
    check_batch_size,
    check_one_host,
    map_eval_step,
    map_train_step,
)
from seg_jax.train.step import make_train_step


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
    """

    config: Config
    spec: DatasetSpec
    model: nn.Module
    preprocessing: Preprocessing
    tx: optax.GradientTransformation
    schedule: optax.Schedule


def assemble(config: Config) -> Task:
    """Builds the network and the optimiser; reads no data and allocates no parameters.

    Raises:
        ValueError: the batch does not split over the devices, or the architecture refuses
            a field of its section.
    """
    check_one_host()
    check_batch_size(config.train.batch_size, field="config.train.batch_size")
    check_batch_size(config.evaluate.batch_size, field="config.evaluate.batch_size")
    spec = spec_of(config.dataset.name, config.dataset.folder.to_dict())
    schedule = resolve(
        config.schedule.name, SCHEDULES, kind="schedule", field="config.schedule.name"
    )(
        base_lr=config.schedule.base_lr,
        num_steps=config.train.num_steps,
        power=config.schedule.power,
        warmup_steps=config.schedule.warmup_steps,
    )
    optimizer = resolve(
        config.optimizer.name, OPTIMIZERS, kind="optimizer", field="config.optimizer.name"
    )
    tx = optimizer(
        schedule,
        momentum=config.optimizer.momentum,
        weight_decay=config.optimizer.weight_decay,
        head_lr_multiplier=config.optimizer.head_lr_multiplier,
    )
    model = build_model(to_dict(config.model), num_classes=spec.num_classes, axis=AXIS)
    return Task(config, spec, model, IMAGENET, tx, schedule)


def train_step(task: Task) -> Callable[..., Any]:
    """Returns the mapped train step."""
    step = make_train_step(
        task.model,
        task.tx,
        task.schedule,
        softmax_cross_entropy,
        presence_cross_entropy,
        task.preprocessing,
        axis=AXIS,
        aux_weight=task.config.loss.aux_weight,
        presence_weight=task.config.loss.presence_weight,
        jitter=task.config.augment.color_jitter,
        distortion=task.config.augment.photometric_distortion,
    )
    return map_train_step(step, backend=task.config.parallel.backend)


def eval_step(task: Task, *, boundary_widths: tuple[int, ...]) -> Callable[..., Any]:
    """Returns the mapped evaluation step that also counts inside these boundary bands."""
    step = make_eval_step(
        task.model,
        task.preprocessing,
        num_classes=task.spec.num_classes,
        band_widths=boundary_widths,
    )
    return map_eval_step(step, backend=task.config.parallel.backend)


def train_stream(task: Task, source: Source, *, start_step: int) -> TrainBatches:
    """Returns the training batches from step `start_step` on; close it after use."""
    config = task.config
    augment = config.augment
    augmentation = Augmentation(
        crop_size=tuple(augment.crop_size),
        pad_color=tuple(augment.pad_color),
        resize=augment.resize,
        base_size=tuple(augment.base_size),
        scale_range=tuple(augment.scale_range),
        scale_step=augment.scale_step,
        max_class_ratio=augment.max_class_ratio,
        flip=augment.flip,
        flip_vertical=augment.flip_vertical,
        rotation=augment.rotation,
        elastic=augment.elastic,
        blur_probability=augment.blur_probability,
        blur_sigma=tuple(augment.blur_sigma),
        mix=augment.mix,
        mix_probability=augment.mix_probability,
    )
    return train_batches(
        source,
        augmentation,
        batch_size=config.train.batch_size,
        seed=config.seed,
        start_step=start_step,
        num_workers=config.dataset.num_workers,
        max_bad_examples=config.dataset.max_bad_examples,
    )


def eval_stream(task: Task, source: Source) -> Iterator[Any]:
    """Returns every example of a split once, in batches of one size."""
    return eval_batches(source, batch_size=task.config.evaluate.batch_size)


def open_split(config: Config, split: str) -> Source:
    """Opens a split at the config's size, kept in memory if the config says so."""
    dataset = config.dataset
    opened = open_source(
        dataset.name, split, data_dir=dataset.data_dir, folder=dataset.folder.to_dict()
    )
    if dataset.size:
        opened = ResizedSource(opened, tuple(dataset.size))
    return CachedSource(opened) if dataset.in_memory else opened


def describe_task(task: Task) -> Description:
    """Describes a config's network without allocating its weights."""
    return describe(task.model, tuple(task.config.dataset.size or task.config.augment.crop_size))
