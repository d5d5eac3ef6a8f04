"""Which stored examples a derived split shows, without opening it."""

from collections.abc import Mapping

from seg_jax.data.spec import Derived, Fold


def members(derived: Derived, counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Returns (stored split, position in it) of every example of a derived split, in order.

    Args:
        derived: the view; see `seg_jax.data.derive` for what each kind shows.
        counts: number of examples of the stored splits.
    """
    stored = [(split, i) for split in derived.of for i in range(counts[split])]
    if not isinstance(derived, Fold):
        return stored
    first, last = (
        edge * len(stored) // derived.count for edge in (derived.index, derived.index + 1)
    )
    return [entry for i, entry in enumerate(stored) if (first <= i < last) == derived.held_out]
