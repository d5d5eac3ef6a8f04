"""Tiles cut from images, and their logits laid out again; both for the rows of one device.

A row of the batch of tiles says which row of the batch of images it is of (`slot`). Both are
counted over the whole batch, of which a device sees a run of rows.
"""

import jax.numpy as jnp
from jax import lax, vmap
from jaxtyping import Array, Float, UInt8

from seg_jax.typing import Logits


def cut(
    image: UInt8[Array, "b hi wi 3"], tiles: dict[str, Array], size: tuple[int, int]
) -> UInt8[Array, "b h w 3"]:
    """Cuts tiles of (height, width) `size`.

    Args:
        image: padded such that every tile lies inside.
        tiles: "slot" [b], "origin" [b, 2] and "row" [b].
        size: of a tile.
    """

    def one(slot, origin):
        start = (slot, origin[0], origin[1], jnp.zeros_like(slot))
        return lax.dynamic_slice(image, start, (1, *size, 3))[0]

    return vmap(one)(tiles["slot"] - tiles["row"][0], tiles["origin"])


def paste(
    canvas: Float[Array, "b hc wc k"],
    logits: Logits,
    tiles: dict[str, Array],
    *,
    margin: tuple[int, int],
    kept: tuple[int, int],
) -> Float[Array, "b hc wc k"]:
    """Adds the kept part of every tile to the canvas of its image.

    Args:
        canvas: sums so far.
        logits: of the tiles.
        tiles: "slot" [b], "origin" [b, 2], "row" [b] and "used" [b].
        margin: where the kept part begins in a tile.
        kept: (height, width) of it.
    """
    part = logits[:, margin[0] : margin[0] + kept[0], margin[1] : margin[1] + kept[1]]
    # Chosen, not multiplied by 0: an empty row may hold anything.
    part = jnp.where(tiles["used"].reshape(-1, 1, 1, 1), part, jnp.zeros_like(part))
    slot = tiles["slot"] - tiles["row"][0]

    def add(index, canvas):
        origin = tiles["origin"][index]
        start = (slot[index], origin[0], origin[1], jnp.zeros_like(origin[0]))
        there = lax.dynamic_slice(canvas, start, (1, *part.shape[1:]))
        return lax.dynamic_update_slice(canvas, there + part[index][None], start)

    # One after the other, always in the same order: tiles of an image overlap.
    return lax.fori_loop(0, part.shape[0], add, canvas)
