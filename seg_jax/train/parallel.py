"""Maps a per-device function over the machine: the only file that knows pmap or meshes.

Inside the mapped function collectives name the axis AXIS, whichever backend runs it. The
state is replicated, the leading axis of every array of the batch is split. Both backends
give the same numbers (tests/train/test_parallel.py).
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

AXIS = "device"
Backend = Literal["pmap", "shard_map"]


def check_one_host() -> None:
    """Refuses to run in several processes, where each would feed the whole global batch.

    Raises:
        ValueError: JAX runs in more than one process.
    """
    if jax.process_count() > 1:
        raise ValueError(
            f"A trial uses the devices of one host, and JAX runs in {jax.process_count()} "
            "processes. Start it without jax.distributed, on a single host."
        )


def check_batch_size(batch_size: int, *, field: str) -> None:
    """Refuses a global batch that does not split evenly over the devices.

    Raises:
        ValueError: the remainder would be dropped or padded, either of which silently
            changes the batch that the config states.
    """
    devices = jax.device_count()
    if batch_size % devices:
        below = batch_size - batch_size % devices
        nearest = f"{below} or {below + devices}" if below else f"{devices}"
        raise ValueError(
            f"A global batch of {batch_size} does not split over {devices} devices. Set {field} "
            f"to a multiple of {devices} (for instance {nearest}), or use fewer devices."
        )


def map_train_step(
    fn: Callable, *, backend: Backend, devices: Sequence[Any] | None = None
) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Compiles fn(state, batch) -> (state, scalars); the old state's memory is reused.

    Args:
        fn: written for one device; returns the same values on every device.
        backend: "pmap" or "shard_map".
        devices: the devices to use; all by default.
    """
    return _map(fn, backend, devices, outputs_split=False, donate=(0,))


def map_eval_step(
    fn: Callable, *, backend: Backend, devices: Sequence[Any] | None = None
) -> Callable[[Any, Any], Any]:
    """Compiles fn(variables, batch) -> per-image results, leading axis the global batch.

    Args:
        fn: written for one device; every array it returns has one row an image.
        backend: "pmap" or "shard_map".
        devices: the devices to use; all by default.
    """
    return _map(fn, backend, devices, outputs_split=True, donate=())


def _map(fn, backend, devices, *, outputs_split, donate):
    devices = list(devices or jax.devices())
    mesh = Mesh(np.array(devices), (AXIS,))
    split, replicated = P(AXIS), P()
    if backend == "pmap":
        mapped = jax.pmap(
            fn,
            axis_name=AXIS,
            in_axes=(None, 0),
            out_axes=0 if outputs_split else None,
            devices=devices,
            donate_argnums=donate,
        )

        def run(state, batch):
            result = mapped(state, jax.tree.map(lambda x: _split(x, len(devices)), batch))
            return jax.tree.map(_merge, result) if outputs_split else result
    else:
        mapped = jax.shard_map(
            fn,
            mesh=mesh,
            in_specs=(replicated, split),
            out_specs=split if outputs_split else replicated,
            # True would sum the gradients of replicated parameters once more by itself: the
            # step would be device-count times too long, without an error.
            check_vma=False,
        )
        run = jax.jit(mapped, donate_argnums=donate)

    def call(state, batch):
        # A first state from the host would compile a program of its own, just for that call.
        return run(jax.device_put(state, NamedSharding(mesh, replicated)), batch)

    return call


def _split(x, n: int):
    """[n * b, ...] -> [n, b, ...]."""
    return x.reshape(n, x.shape[0] // n, *x.shape[1:])


def _merge(x):
    """[n, b, ...] -> [n * b, ...]."""
    return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])
