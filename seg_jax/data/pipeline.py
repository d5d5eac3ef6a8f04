"""Batches for training and evaluation, on Grain: threads, explicit seeds, no iterator state.

The training stream is a pure function of (seed, step): resuming is starting at a step.
Every operation is given a seed of its own, because Grain otherwise derives it from the
operation's place in the chain, and inserting one would change all those after it.
"""

import functools
import os
from collections.abc import Iterator, Sequence
from typing import TypedDict

import cv2
import grain
import numpy as np
from jaxtyping import UInt8

from seg_jax.data.augment import Augmentation
from seg_jax.data.source import Example, Source
from seg_jax.typing import IGNORE_LABEL

MAX_THREADS = 16

NUM_EPOCHS = 2**32
"""Without end for every purpose; Grain fails to slice a dataset that is endless by its own."""


class HostBatch(TypedDict):
    """A `Batch` in host memory.

    Attributes:
        image: RGB as stored.
        label: class ids, IGNORE_LABEL where the pixel does not count.
    """

    image: UInt8[np.ndarray, "b h w 3"]
    label: UInt8[np.ndarray, "b h w"]


class EvalBatch(HostBatch):
    """A batch of examples that are counted once each.

    Attributes:
        id: names of the examples, one for each row that is not padding.
        num_examples: rows that are examples; those after them are padding, all ignored.
    """

    id: list[str]
    num_examples: int


def train_batches(
    source: Source,
    augmentation: Augmentation,
    *,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    num_threads: int | None = None,
    process_index: int = 0,
    process_count: int = 1,
) -> Iterator[HostBatch]:
    """Yields batches for ever, from `start_step` on; every epoch is shuffled anew.

    Epochs run into each other, so that a source may be smaller than a batch.

    Args:
        source: the training split.
        augmentation: applied to every example, each time with other random numbers.
        batch_size: rows of the global batch, over all processes.
        seed: decides order and augmentation.
        start_step: the batches before it are skipped without being made.
        num_threads: threads that make batches; by default one a core, at most MAX_THREADS; 0
            makes them in the caller's. The stream does not depend on it.
        process_index: this process; it gets the rows [index * n, (index + 1) * n) of the
            global batch, n = batch_size / process_count.
        process_count: number of processes.

    Raises:
        ValueError: the source is empty, or the batch does not divide over the processes.
    """
    if not len(source):
        raise ValueError("The training split holds no examples; check config.dataset.train_split.")
    if batch_size < 1 or batch_size % process_count:
        raise ValueError(
            f"config.train.batch_size={batch_size} must be a positive multiple of the "
            f"{process_count} processes."
        )
    # Hashed apart: Grain shuffles epoch e by seed + e, so that with plain seeds 0 and 1 the
    # second epoch of one run would be the first of the other.
    order_seed, augment_seed = map(int, np.random.SeedSequence(seed).generate_state(2))

    def augment(example: Example, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return augmentation(example["image"], example["label"], rng)

    rows = grain.MapDataset.source(source).shuffle(seed=order_seed).repeat(NUM_EPOCHS)
    rows = rows.random_map(augment, seed=augment_seed)
    batches = rows.batch(batch_size // process_count, batch_fn=_stack)
    return _iterate(batches[process_index::process_count][start_step:], num_threads)


def eval_batches(
    source: Source,
    *,
    batch_size: int,
    num_threads: int | None = None,
) -> Iterator[EvalBatch]:
    """Yields every example once, in order; the last batch is padded to the full size.

    Images and labels keep the size the source gives them: scores at another size than that
    of the labels on disk are not comparable with published ones.

    Args:
        source: the split.
        batch_size: rows of every batch; padding rows are black and IGNORE_LABEL throughout.
        num_threads: as in `train_batches`.

    Raises:
        ValueError: the examples of a batch differ in size.
    """
    rows = grain.MapDataset.source(source)
    pad = functools.partial(_pad, batch_size=batch_size)
    return _iterate(rows.batch(batch_size, drop_remainder=False, batch_fn=pad), num_threads)


def _iterate(batches: grain.MapDataset, num_threads: int | None) -> Iterator:
    """Makes the batches in threads, in order, and ends the threads with the iterator."""
    if num_threads is None:
        num_threads = min(MAX_THREADS, os.cpu_count() or 1)
    # OpenCV's own pool, one a process, would compete with these threads for the same cores.
    cv2.setNumThreads(1)
    options = grain.ReadOptions(num_threads=num_threads, prefetch_buffer_size=2 * num_threads)
    iterator = iter(batches.to_iter_dataset(options))
    try:
        yield from iterator
    finally:
        iterator.close()


def _stack(rows: Sequence[tuple[np.ndarray, np.ndarray]]) -> HostBatch:
    images, labels = zip(*rows, strict=True)
    return {"image": np.stack(images), "label": np.stack(labels)}


def _pad(examples: Sequence[Example], batch_size: int) -> EvalBatch:
    height, width = examples[0]["label"].shape
    for example in examples:
        if example["label"].shape != (height, width):
            raise ValueError(
                f"Examples {examples[0]['id']!r} and {example['id']!r} of one batch differ in "
                f"size: {(height, width)} and {example['label'].shape}. Set "
                "config.evaluate.batch_size to 1, or config.dataset.size to one (height, width)."
            )
    image = np.zeros((batch_size, height, width, 3), np.uint8)
    label = np.full((batch_size, height, width), IGNORE_LABEL, np.uint8)
    for row, example in enumerate(examples):
        image[row], label[row] = example["image"], example["label"]
    ids = [example["id"] for example in examples]
    return {"image": image, "label": label, "id": ids, "num_examples": len(ids)}
