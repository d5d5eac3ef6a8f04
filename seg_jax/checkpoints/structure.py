"""Whether a checkpoint is of the same network and optimiser as the state it is to fill.

Orbax drops what the state has no place for, and casts what is of another dtype, both in silence.
"""

from collections.abc import Mapping
from typing import Any

import jax

_NAMED = 2


def arrays(tree: Any) -> dict[str, str]:
    """Returns dtype and shape of every array in `tree` by its path, "params/stem/conv/kernel"."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {
        jax.tree_util.keystr(path, simple=True, separator="/"): f"{leaf.dtype}{list(leaf.shape)}"
        for path, leaf in leaves
    }


def find_difference(saved: Mapping[str, str], wanted: Mapping[str, str]) -> str | None:
    """Returns what distinguishes two results of `arrays`; None when nothing does."""
    differences = [
        *(f"it lacks {path}" for path in wanted if path not in saved),
        *(f"it holds {path} besides" for path in saved if path not in wanted),
        *(
            f"{path} is {saved[path]}, not {wanted[path]}"
            for path in wanted
            if path in saved and saved[path] != wanted[path]
        ),
    ]
    if not differences:
        return None
    more = len(differences) - _NAMED
    return "; ".join(differences[:_NAMED]) + (f"; and {more} more" if more > 0 else "")
