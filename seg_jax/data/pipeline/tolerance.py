"""What becomes of training examples that cannot be read: refused, or replaced up to a bound.

A large set that was gathered from the web has a broken file now and then, and a training set
of one example less is the same training set. The replacement is the next good example in the
order of the source, so that it depends on the position and the data alone, and not on which
thread or process met the bad one, or when.
"""

import logging
from collections.abc import Mapping

from seg_jax.data.example import Example, Source
from seg_jax.data.validate import DataError

_logger = logging.getLogger(__name__)


class TolerantReader:
    """Reads examples for one batch; made anew for every batch, and used by one thread.

    Attributes:
        skipped: position of every bad example that was met -> its fault.
    """

    def __init__(self, source: Source, max_bad_examples: int):
        self._source, self._max_bad_examples = source, max_bad_examples
        self.skipped: dict[int, str] = {}

    def __call__(self, index: int) -> Example:
        """Returns the example at a position, or the next good one; from the last on, the first.

        Raises:
            DataError: the example is bad and none may be, or too many are.
        """
        count = len(self._source)
        for position in range(index, index + count):
            try:
                return self._source[position % count]
            except DataError as error:
                if not self._max_bad_examples:
                    raise
                self.skipped[position % count] = str(error)
            if len(self.skipped) > self._max_bad_examples:
                break
        raise too_many(self.skipped, self._max_bad_examples)


class SkippedExamples:
    """The bad examples that a stream has met so far, each logged once.

    Attributes:
        by_position: position in the source -> the fault.
    """

    def __init__(self, max_bad_examples: int):
        self._max_bad_examples = max_bad_examples
        self.by_position: dict[int, str] = {}

    def add(self, skipped: Mapping[int, str]) -> None:
        """Adds those that were met while a batch was made.

        Raises:
            DataError: there are more than the bound allows.
        """
        for position, fault in skipped.items():
            if position in self.by_position:
                continue
            self.by_position[position] = fault
            if len(self.by_position) > self._max_bad_examples:
                raise too_many(self.by_position, self._max_bad_examples)
            _logger.warning(
                "Skipped %d of at most %d bad examples: %s",
                len(self.by_position),
                self._max_bad_examples,
                fault,
            )


def too_many(skipped: Mapping[int, str], max_bad_examples: int) -> DataError:
    """Returns the error for more bad examples than allowed; names the last one."""
    return DataError(
        f"{len(skipped)} training examples cannot be used, and "
        f"config.dataset.max_bad_examples={max_bad_examples} allows no further one; repair the "
        f"dataset or raise the bound. The last: {[*skipped.values()][-1]}"
    )
