"""The eight symmetries of a square, applied to images and undone on what came of them.

A code in 0..7 has three bits: 1 mirrors left and right, 2 mirrors top and bottom, and 4
transposes before either. 0 changes nothing; 3, 5 and 6 are the rotations.
"""

import jax.numpy as jnp
from jaxtyping import Array, Int, Shaped

TRANSPOSED = 4
"""Codes from here on exchange height and width."""


def turn(
    x: Shaped[Array, "b h w c"], code: Int[Array, "b"], *, transposed: bool
) -> Shaped[Array, "b h2 w2 c"]:
    """Applies to each row the symmetry of its code.

    Args:
        x: images.
        code: symmetries; all transpose, or none does.
        transposed: whether they do, which decides on the shape of the result.
    """
    return _mirror(jnp.swapaxes(x, 1, 2) if transposed else x, code)


def undo(
    x: Shaped[Array, "b h w c"], code: Int[Array, "b"], *, transposed: bool
) -> Shaped[Array, "b h2 w2 c"]:
    """Undoes `turn`."""
    x = _mirror(x, code)
    return jnp.swapaxes(x, 1, 2) if transposed else x


def _mirror(x: Shaped[Array, "b h w c"], code: Int[Array, "b"]) -> Shaped[Array, "b h w c"]:
    # By the value of the code, so that one program of the network does for all.
    for bit, axis in ((1, 2), (2, 1)):
        chosen = ((code & bit) > 0).reshape(-1, 1, 1, 1)
        x = jnp.where(chosen, jnp.flip(x, axis), x)
    return x
