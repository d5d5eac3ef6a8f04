"""Writes the shards of a dataset: says how much it is, continues, collects what is faulty."""

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

from absl import logging

from seg_jax.data.preparation import journal
from seg_jax.data.preparation.disk import free_bytes, megabytes, require_space
from seg_jax.data.preparation.pool import choose_jobs, write_shards
from seg_jax.data.preparation.progress import SILENT, Progress
from seg_jax.data.preparation.shards import Outcome, Shard, WriteError
from seg_jax.data.validate import DataError

SHOWN_FAULTS = 10
"""Sentences in the error; all of them are logged."""

MAX_FAULTS = 100
"""Faulty examples after which looking on tells nothing new."""

Writer = Callable[[Sequence[Shard]], Iterator[Outcome]]
"""Writes shards somewhere and yields what became of each."""


@dataclasses.dataclass
class Writing:
    """How and where the shards of one dataset are written.

    Attributes:
        scratch: folder that keeps what is finished until the dataset is.
        destination: where the dataset will lie, for messages.
        jobs: number of processes; None chooses by the size of the work.
        progress: is told what happens.
    """

    scratch: Path
    destination: Path
    jobs: int | None = 1
    progress: Progress = SILENT

    @property
    def shards(self) -> Path:
        """The folder of the shards."""
        return self.scratch / "shards"

    def write(
        self, shards: Sequence[Shard], num_bytes: int, writer: Writer | None = None
    ) -> dict[str, list[tuple[Path, journal.Entry]]]:
        """Writes those that are not finished.

        Args:
            shards: all shards of the dataset.
            num_bytes: what they will hold, roughly.
            writer: writes them; None takes processes of this machine.

        Returns:
            By split, the file of every shard and what is known about it, in order.

        Raises:
            DataError: examples are faulty; names the first ten.
            OSError: the disk does not take them.
            RuntimeError: a process was killed.
        """
        self.shards.mkdir(parents=True, exist_ok=True)
        journal.discard_others(self.shards, [shard.file for shard in shards])
        entries = {shard.file: journal.finished(shard.file, shard.fingerprint) for shard in shards}
        rest = [shard for shard in shards if entries[shard.file] is None]
        needed = num_bytes * _count(rest) // max(1, _count(shards))
        self._announce(shards, rest, num_bytes)
        require_space(needed, self.shards, f"Dataset {shards[0].spec.name!r}")
        if rest:
            jobs = choose_jobs(self.jobs, needed)
            self._convert(shards, rest, writer or (lambda rest: write_shards(rest, jobs)))
        finished: dict[str, list[tuple[Path, journal.Entry]]] = {}
        for shard in shards:
            entry = entries[shard.file] or journal.noted(shard.file, shard.fingerprint)
            if entry is None:
                raise RuntimeError(
                    f"Shard {shard.file} is not there although it was written. Every machine "
                    "that takes part has to see --data_dir; give the same command again."
                )
            finished.setdefault(shard.split, []).append((shard.file, entry))
        return finished

    def _announce(self, shards: Sequence[Shard], rest: Sequence[Shard], num_bytes: int) -> None:
        name = shards[0].spec.name
        total, left = _count(shards), _count(rest)
        splits: Counter[str] = Counter()
        for shard in shards:
            splits[shard.split] += len(shard.items)
        counts = ", ".join(f"{split} {count:,}" for split, count in splits.items())
        self.progress.say(
            f"{name}: {counts} examples; about {megabytes(num_bytes)} to write into "
            f"{self.destination}, where {megabytes(free_bytes(self.shards))} are free."
        )
        if left < total:
            self.progress.say(f"Continues: {total - left:,} of {total:,} examples are converted.")

    def _convert(self, shards: Sequence[Shard], rest: Sequence[Shard], writer: Writer) -> None:
        total = _count(shards)
        done = total - _count(rest)
        self.progress.start("converting", total, unit="examples", done=done)
        faults: list[str] = []
        looked_at = 0
        with contextlib.closing(_raised_here(writer(rest))) as outcomes:
            for outcome in outcomes:
                looked_at += outcome.num_examples
                for fault in outcome.faults:
                    logging.warning("%s", fault)
                faults += outcome.faults
                self.progress.advance(outcome.num_examples)
                if len(faults) >= MAX_FAULTS:
                    break
        if faults:
            raise DataError(_summary(faults, looked_at, rest))


def _raised_here(outcomes: Iterator[Outcome]) -> Generator[Outcome, None, None]:
    """Yields the outcomes; what a worker raises about the disk is raised by this process."""
    try:
        yield from outcomes
    except WriteError as error:
        raise OSError(error.errno, error.strerror) from error


def _summary(faults: Sequence[str], looked_at: int, rest: Sequence[Shard]) -> str:
    if len(faults) == 1:
        return faults[0]
    stopped = looked_at < _count(rest)
    more = len(faults) - SHOWN_FAULTS
    lines = [
        f"{len(faults)} of {looked_at:,} examples of {rest[0].spec.name!r} cannot be used"
        f"{', and the others were not looked at' if stopped else ''}. Nothing was prepared; once "
        "they are repaired, the same command continues.",
        *faults[:SHOWN_FAULTS],
    ]
    if more > 0:
        lines.append(f"And {more} more, each in the log above.")
    return "\n  ".join(lines)


def _count(shards: Sequence[Shard]) -> int:
    return sum(len(shard.items) for shard in shards)
