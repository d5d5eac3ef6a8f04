"""A split with its facts and a way to its examples."""

import dataclasses
from collections.abc import Callable

from seg_jax.data.doctor.facts import SplitFacts
from seg_jax.data.example import Example


@dataclasses.dataclass(frozen=True)
class Examined:
    """A split that was looked at.

    Attributes:
        facts: what was seen.
        load: position -> decoded example; raises DataError, or RuntimeError for a damaged
            record, where it cannot be had.
        name_of: position -> name of the example, without decoding it.
    """

    facts: SplitFacts
    load: Callable[[int], Example]
    name_of: Callable[[int], str]
