"""Tiles are cut from, and laid onto, the image of their row."""

import jax.numpy as jnp
import numpy as np

from seg_jax.evaluate.tiling import cut, paste

# Rows 4 and 5 of a batch, as the third of several devices has them.
TILES = {
    "slot": jnp.array([5, 4], jnp.int32),
    "origin": jnp.array([[1, 2], [3, 0]], jnp.int32),
    "used": jnp.array([True, True]),
    "row": jnp.array([4, 5], jnp.int32),
}


def test_tiles_are_of_the_image_that_they_name():
    image = np.random.RandomState(0).randint(0, 256, (2, 7, 8, 3)).astype(np.uint8)
    tiles = cut(jnp.asarray(image), TILES, (4, 5))
    np.testing.assert_array_equal(tiles[0], image[1, 1:5, 2:7])
    np.testing.assert_array_equal(tiles[1], image[0, 3:7, 0:5])


def test_kept_parts_are_added_where_their_tiles_begin():
    logits = np.random.RandomState(0).rand(2, 4, 5, 3).astype(np.float32)
    canvas = np.ones((2, 7, 8, 3), np.float32)
    pasted = paste(jnp.asarray(canvas), jnp.asarray(logits), TILES, margin=(1, 2), kept=(3, 3))
    expected = canvas.copy()
    expected[1, 1:4, 2:5] += logits[0, 1:4, 2:5]
    expected[0, 3:6, 0:3] += logits[1, 1:4, 2:5]
    np.testing.assert_array_equal(pasted, expected)


def test_rows_without_a_tile_add_nothing_whatever_they_hold():
    logits = np.full((2, 4, 5, 3), np.nan, np.float32)
    unused = {**TILES, "used": jnp.array([False, False])}
    canvas = jnp.ones((2, 7, 8, 3))
    pasted = paste(canvas, jnp.asarray(logits), unused, margin=(0, 0), kept=(4, 5))
    np.testing.assert_array_equal(pasted, canvas)
