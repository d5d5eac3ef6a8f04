"""Batches for evaluation: every example once, at its own size."""

import dataclasses
from collections.abc import Iterator, Sequence

import grain
import numpy as np

from seg_jax.data.example import Source
from seg_jax.data.pipeline.batches import EvalBatch
from seg_jax.data.pipeline.prefetch import prefetch
from seg_jax.labels import IGNORE_LABEL


def eval_batches(
    source: Source,
    *,
    batch_size: int,
    num_threads: int | None = None,
    process_index: int = 0,
    process_count: int = 1,
) -> Iterator[EvalBatch]:
    """Yields every example once, in batches of one size; the last of each size is padded.

    Images and labels keep the size the source gives them: scores at another size than that
    of the labels on disk are not comparable with published ones. Sizes come in the order in
    which they first occur, and examples of one size in the order of the source.

    A bad example is an error whatever `config.dataset.max_bad_examples` is: a score over
    fewer images is another score, and would not say so.

    Args:
        source: the split.
        batch_size: rows of every batch, over all processes; padding rows are black and
            IGNORE_LABEL throughout.
        num_threads: see `prefetch`.
        process_index: this host's process; it gets the rows [index * n, (index + 1) * n) of
            every batch, n = batch_size / process_count. All get equally many batches of equal
            shapes, since each takes part in every step; some may be all padding.
        process_count: number of such processes.

    Raises:
        ValueError: the batch does not divide over the processes, or, from the iterator, an
            example has another size than its source says.
        DataError: from the iterator, an example cannot be used.
    """
    if batch_size < 1 or batch_size % process_count:
        raise ValueError(
            f"config.evaluate.batch_size={batch_size} must be a positive multiple of the "
            f"{process_count} processes."
        )
    maker = _BatchMaker(
        source, tuple(group_by_size(source, batch_size)), batch_size // process_count, process_index
    )
    batches = grain.MapDataset.range(len(maker.groups)).map(maker)
    return prefetch(batches, num_threads=num_threads)


@dataclasses.dataclass(frozen=True)
class Group:
    """Examples of one global batch.

    Attributes:
        size: their height and width.
        positions: where they are in the source, at most as many as a batch has rows.
    """

    size: tuple[int, int]
    positions: Sequence[int]


def group_by_size(source: Source, batch_size: int) -> Iterator[Group]:
    """Yields the global batches of `eval_batches`; decodes nothing."""
    by_size: dict[tuple[int, int], list[int]] = {}
    for position in range(len(source)):
        by_size.setdefault(source.size(position), []).append(position)
    for size, positions in by_size.items():
        for first in range(0, len(positions), batch_size):
            yield Group(size, positions[first : first + batch_size])


@dataclasses.dataclass(frozen=True)
class _BatchMaker:
    """Makes the batch of a number.

    Attributes:
        source: the split.
        groups: the global batches.
        num_rows: rows of a batch in this process.
        process_index: this process.
    """

    source: Source
    groups: Sequence[Group]
    num_rows: int
    process_index: int

    def __call__(self, number: int) -> EvalBatch:
        group = self.groups[number]
        first = self.process_index * self.num_rows
        image = np.zeros((self.num_rows, *group.size, 3), np.uint8)
        label = np.full((self.num_rows, *group.size), IGNORE_LABEL, np.uint8)
        ids = []
        for row, position in enumerate(group.positions[first : first + self.num_rows]):
            example = self.source[position]
            if example["label"].shape != group.size:
                raise ValueError(
                    f"Example {example['id']!r} is {example['label'].shape} px (height, width), "
                    f"but its split says {group.size}. Prepare the dataset again."
                )
            image[row], label[row] = example["image"], example["label"]
            ids.append(example["id"])
        return {"image": image, "label": label, "id": ids, "num_examples": len(ids)}
