"""The data that a config names: its splits as sources, batches of them, weights of its classes."""

from collections.abc import Iterator
from typing import Any

import jax

from seg_jax.config import Config
from seg_jax.data.augment import Augmentation
from seg_jax.data.border import BorderSource
from seg_jax.data.class_weights import balance_classes
from seg_jax.data.example import Source
from seg_jax.data.frequencies import count_class_pixels
from seg_jax.data.pipeline.evaluate import eval_batches
from seg_jax.data.pipeline.frames import Framing
from seg_jax.data.pipeline.train import TrainBatches, train_batches
from seg_jax.data.source import open_source
from seg_jax.data.views import CachedSource, ResizedSource


def open_split(config: Config, split: str) -> Source:
    """Opens a split at the config's size, kept in memory if the config says so."""
    dataset, opened = config.dataset, _stored(config, split)
    if dataset.size:
        opened = ResizedSource(opened, tuple(dataset.size))
    return CachedSource(opened) if dataset.in_memory else opened


def open_train_split(config: Config) -> Source:
    """Opens the training split, with weights between objects where the loss asks for them.

    Raises:
        ValueError: the loss asks for them, and the dataset knows no objects.
    """
    source, loss = open_split(config, config.dataset.train_split), config.loss
    if not loss.border_weight:
        return source
    return BorderSource(source, loss.border_weight, loss.border_sigma)


def class_weights(config: Config, num_classes: int) -> tuple[float, ...]:
    """Returns how much a pixel of each class counts in the loss; empty for 1 everywhere."""
    loss = config.loss
    if not loss.class_balance:
        return tuple(map(float, loss.class_weights))
    # Of the stored labels, not the resized ones: the manifest of the split has counted them.
    counted = count_class_pixels(_stored(config, config.dataset.train_split), num_classes)
    return balance_classes(loss.class_balance, counted.pixels, counted.around)


def _stored(config: Config, split: str) -> Source:
    dataset = config.dataset
    return open_source(
        dataset.name, split, data_dir=dataset.data_dir, folder=dataset.folder.to_dict()
    )


def train_stream(config: Config, source: Source, *, start_step: int) -> TrainBatches:
    """Returns the training batches from step `start_step` on; close it after use."""
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
        process_index=jax.process_index(),
        process_count=jax.process_count(),
    )


def eval_stream(
    config: Config,
    source: Source,
    *,
    num_devices: int,
    num_samples: int = 0,
    instances: bool = False,
) -> Iterator[Any]:
    """Returns every example of a split once, as the config's protocol has it.

    Args:
        config: states the protocol.
        source: the split.
        num_devices: parts into which a batch is split, over all processes.
        num_samples: how many of the first examples come with a picture to show.
        instances: adds the objects of the examples.
    """
    evaluate = config.evaluate
    framing = Framing(
        resize=evaluate.resize,
        base_size=tuple(evaluate.base_size),
        labels=evaluate.labels,
        window=evaluate.window,
        window_size=tuple(evaluate.window_size),
        window_stride=tuple(evaluate.window_stride),
        scales=tuple(evaluate.scales),
        pad_color=tuple(config.augment.pad_color),
    )
    return eval_batches(
        source,
        framing,
        batch_size=evaluate.batch_size,
        num_samples=num_samples,
        instances=instances,
        num_devices=num_devices,
        process_index=jax.process_index(),
        process_count=jax.process_count(),
    )
