"""`jax.pmap` in the form of the other backends: the devices are no axis of the arrays."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P


def pmapped(
    fn: Callable, mesh: Mesh, *, per_image: bool, donate: tuple[int, ...]
) -> Callable[[Any, Any], Any]:
    """Maps fn(state, batch), the state replicated, the rows of the batch split over the devices.

    Args:
        fn: written for one device; its collectives name the mesh's axis.
        mesh: the devices of this process, along one axis.
        per_image: whether results have a row an image; otherwise they are the same everywhere.
        donate: arguments whose memory is reused.
    """
    (axis,), count = mesh.axis_names, mesh.size
    mapped = jax.pmap(
        fn,
        axis_name=axis,
        in_axes=(None, 0),
        out_axes=0 if per_image else None,
        devices=list(mesh.devices.flat),
        donate_argnums=donate,
    )
    reshape = partial(jax.jit, out_shardings=NamedSharding(mesh, P(axis)))
    split = reshape(lambda tree: jax.tree.map(lambda x: _split(x, count), tree))
    merge = reshape(lambda tree: jax.tree.map(_merge, tree))

    def run(state, batch):
        result = mapped(state, split(batch))
        return merge(result) if per_image else result

    return run


def _split(x: jax.Array, count: int) -> jax.Array:
    """[count * b, ...] -> [count, b, ...]."""
    return x.reshape(count, x.shape[0] // count, *x.shape[1:])


def _merge(x: jax.Array) -> jax.Array:
    """[count, b, ...] -> [count * b, ...]."""
    return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])
