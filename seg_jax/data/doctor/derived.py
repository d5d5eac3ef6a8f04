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
    return [stored[i] for i in derived.positions(len(stored))]
