"""Batches for evaluation: every example once, those that fit into arrays of one shape together."""

import dataclasses
from collections.abc import Iterator, Sequence

import grain
import numpy as np

from seg_jax.cores import count_cores
from seg_jax.data.example import Example, Source, instances_of
from seg_jax.data.pipeline.eval_batch import EvalBatch, Rows, make_view
from seg_jax.data.pipeline.frames import Framing, Plan
from seg_jax.data.pipeline.prefetch import MAX_THREADS, prefetch
from seg_jax.labels import IGNORE_LABEL

MEMORY = 2**31
"""Bytes that batches made ahead may take, about; fewer threads keep to it."""


def eval_batches(
    source: Source,
    framing: Framing,
    *,
    batch_size: int,
    num_samples: int = 0,
    instances: bool = False,
    num_threads: int | None = None,
    num_devices: int = 1,
    process_index: int = 0,
    process_count: int = 1,
) -> Iterator[EvalBatch]:
    """Yields every example once, together with others whose arrays have the same shapes.

    Shapes come in the order in which they first occur, and examples of one shape in the order of
    the source. The batches of a shape have equally many rows, as few as their number needs.

    A bad example is an error whatever `config.dataset.max_bad_examples` is: a score over
    fewer images is another score, and would not say so.

    Args:
        source: the split.
        framing: how an image enters the network.
        batch_size: rows of a batch at most, over all processes. Rows without an example are
            black, and IGNORE_LABEL throughout.
        num_samples: how many of the source's first examples come with a picture to show.
        instances: adds the objects of the examples.
        num_threads: see `prefetch`; by default also no more than MEMORY allows.
        num_devices: devices that a batch is split over, of all processes; examples are dealt out
            to them in turn, so that none is left without while another has two.
        process_index: this host's process; it gets the rows [index * n, (index + 1) * n) of
            every batch, n = rows / process_count. All get equally many batches of equal
            shapes, since each takes part in every step; some may be all padding.
        process_count: number of such processes.

    Raises:
        ValueError: the batch does not divide over the devices, an image does not fit what it is
            to be padded to, or, from the iterator, an example has another size than its source
            says.
        LookupError: from the iterator, `instances` of a dataset that knows no objects.
        DataError: from the iterator, an example cannot be used.
    """
    if batch_size < 1 or batch_size % num_devices:
        raise ValueError(
            f"config.evaluate.batch_size={batch_size} must be a positive multiple of the "
            f"{num_devices} devices."
        )
    if num_devices % process_count:
        raise ValueError(
            f"{num_devices} devices are not equally many for each of {process_count} processes."
        )
    groups = tuple(group_by_shape(source, framing, batch_size, num_devices))
    maker = _BatchMaker(
        source, framing, groups, num_samples, instances, num_devices, process_index, process_count
    )
    batches = grain.MapDataset.range(len(groups)).map(maker)
    if num_threads is None:
        largest = max((group.num_bytes // process_count for group in groups), default=1)
        num_threads = max(1, min(MAX_THREADS, count_cores(), MEMORY // (3 * largest)))
    return prefetch(batches, num_threads=num_threads)


@dataclasses.dataclass(frozen=True)
class Group:
    """Examples of one global batch.

    Attributes:
        plans: what each goes through; all of the same shapes.
        positions: where they are in the source.
        num_rows: rows of the batch, over all processes.
    """

    plans: Sequence[Plan]
    positions: Sequence[int]
    num_rows: int

    @property
    def num_bytes(self) -> int:
        """Size of the largest arrays of the batch."""
        plan = self.plans[0]
        views = sum(3 * view.image[0] * view.image[1] for view in plan.views)
        return self.num_rows * (views + plan.frame[0] * plan.frame[1])


def group_by_shape(
    source: Source, framing: Framing, batch_size: int, num_devices: int
) -> Iterator[Group]:
    """Yields the global batches of `eval_batches`; decodes nothing."""
    plans: dict[tuple[int, int], Plan] = {}
    by_shape: dict[tuple[object, ...], list[tuple[int, Plan]]] = {}
    for position in range(len(source)):
        size = source.size(position)
        if size not in plans:
            plans[size] = framing.plan(size)
        by_shape.setdefault(plans[size].shapes, []).append((position, plans[size]))
    for members in by_shape.values():
        # Spread over their batches: nine examples are five and four, not eight and one, and a
        # shape that occurs twice takes no more than two rows.
        count = -(-len(members) // batch_size)
        taken = -(-len(members) // count)
        num_rows = -(-taken // num_devices) * num_devices
        for first in range(0, len(members), num_rows):
            positions, chosen = zip(*members[first : first + num_rows], strict=True)
            yield Group(chosen, positions, num_rows)


@dataclasses.dataclass(frozen=True)
class _BatchMaker:
    """Makes the batch of a number; the attributes are those of `eval_batches`."""

    source: Source
    framing: Framing
    groups: Sequence[Group]
    num_samples: int
    with_instances: bool
    num_devices: int
    process_index: int
    process_count: int

    def __call__(self, number: int) -> EvalBatch:
        group = self.groups[number]
        rows = Rows(
            group.plans, group.num_rows, self.num_devices, self.process_index, self.process_count
        )
        plans = [group.plans[member] for member in rows.members]
        positions = [group.positions[member] for member in rows.members]
        examples = [
            self._read(position, member)
            for position, member in zip(positions, rows.members, strict=True)
        ]
        images = [example["image"] for example in examples]
        label = np.full((rows.count, *group.plans[0].frame), IGNORE_LABEL, np.uint8)
        for row, plan, example in zip(rows.local, plans, examples, strict=True):
            fitted = self.framing.fit(example["label"], plan, IGNORE_LABEL, nearest=True)
            label[row, : plan.label[0], : plan.label[1]] = fitted
        return {
            "positions": positions,
            "ids": [example["id"] for example in examples],
            "rows": rows.local,
            "sizes": [plan.label for plan in plans],
            "label": label,
            "views": [
                make_view(self.framing, index, rows, plans, images)
                for index in range(len(group.plans[0].views))
            ],
            "shown": {
                position: self.framing.fit(image, plan, self.framing.pad_color, nearest=False)
                for position, plan, image in zip(positions, plans, images, strict=True)
                if position < self.num_samples
            },
            "instances": [
                self.framing.fit(instances_of(self.source, position), plan, 0, nearest=True)
                for position, plan in zip(positions, plans, strict=True)
                if self.with_instances
            ],
        }

    def _read(self, position: int, member: int) -> Example:
        example, said = self.source[position], self.source.size(position)
        if example["label"].shape != said:
            raise ValueError(
                f"Example {example['id']!r} is {example['label'].shape} px (height, width), "
                f"but its split says {said}. Prepare the dataset again."
            )
        return example
