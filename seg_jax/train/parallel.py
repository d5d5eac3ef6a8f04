"""Lays state and batches over the devices and maps a step over them; all that knows of meshes.

"pmap" and "shard_map" run a function written for one device on every device, and its collectives
name the axis DEVICE_AXIS. "mesh" runs a function of the global batch, which the compiler
distributes (GSPMD, arXiv:2105.04663): over images and, with `height_shards`, over their rows too,
for images that are too large for one device. The rows that neighbours need of each other are
then exchanged by the compiler.

All of them give the same numbers (tests/train/test_parallel.py, tests/train/test_mesh.py).
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Literal

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from seg_jax.train.pmapped import pmapped
from seg_jax.typing import DEVICE_AXIS

Backend = Literal["pmap", "shard_map", "mesh"]

_DATA, _HEIGHT = "data", "height"

STRIDE = 32
"""Rows of a device are a multiple of this, the largest stride of a network, so that its maps divide
evenly at every stride. Where they do not, XLA pads, and returns wrong gradients without an error
for reshapes over the height (U-Net's up-convolution; jaxlib 0.10.2, both partitioners), or aborts
the process where a kernel reaches beyond the neighbouring device."""


def axis_of(backend: Backend) -> str | None:
    """Returns the axis over which steps and norms written for `backend` reduce.

    `None` for "mesh": what it runs sees the global batch, so that sums and batch statistics are
    global as they stand.
    """
    return None if backend == "mesh" else DEVICE_AXIS


def make_layout(
    backend: Backend, *, height_shards: int = 1, devices: Sequence[Any] | None = None
) -> "Layout":
    """Arranges devices, those of a process side by side.

    Args:
        backend: "pmap", "shard_map" or "mesh".
        height_shards: devices that share an image; more than 1 for "mesh" alone.
        devices: the devices to use; all of all processes by default.

    Raises:
        ValueError: the devices do not fall into groups of `height_shards` within a process, the
            processes have unequally many, or the backend cannot do it.
    """
    found = sorted(devices or jax.devices(), key=lambda device: device.process_index)
    processes = [device.process_index for device in found]
    counts = sorted({processes.count(process) for process in processes})
    if len(counts) > 1:
        raise ValueError(
            f"The processes of this run have between {counts[0]} and {counts[-1]} devices. Give "
            "every process equally many: each reads as many rows of the global batch."
        )
    if backend == "pmap" and len(set(processes)) > 1:
        raise ValueError(
            f"config.parallel.backend='pmap' runs in one process, and this run has "
            f"{len(set(processes))}. Set it to 'shard_map', which gives the same numbers."
        )
    if height_shards > 1 and backend != "mesh":
        raise ValueError(
            f"config.parallel.backend={backend!r} cannot split an image over "
            f"{height_shards} devices. Set it to 'mesh', or config.parallel.height_shards to 1."
        )
    fitting = [n for n in range(1, counts[0] + 1) if counts[0] % n == 0]
    if height_shards not in fitting:
        raise ValueError(
            f"config.parallel.height_shards={height_shards} does not divide the {counts[0]} "
            f"devices of a process. Set it to one of {fitting}."
        )
    if backend != "mesh":
        return Layout(backend, Mesh(np.array(found), (DEVICE_AXIS,)))
    grid = np.array(found).reshape(-1, height_shards)
    # Explicit axes, the other kind, would want every operation of a network to say how its
    # result is laid out.
    return Layout(backend, Mesh(grid, (_DATA, _HEIGHT), axis_types=(AxisType.Auto,) * 2))


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where the arrays of a run lie; made by `make_layout`.

    Placing is explicit, so that a loop may run under `jax.transfer_guard("disallow")`, and what
    is already in place is left there: a mapped step takes arrays of the host as well.

    Attributes:
        backend: "pmap", "shard_map" or "mesh".
        mesh: the devices, one axis of them or data x height.
    """

    backend: Backend
    mesh: Mesh

    @property
    def axis(self) -> str | None:
        """See `axis_of`."""
        return axis_of(self.backend)

    @property
    def height_shards(self) -> int:
        """Number of devices that share an image."""
        return self.mesh.shape.get(_HEIGHT, 1)

    @property
    def num_data_shards(self) -> int:
        """Number of parts into which the images of a global batch are split."""
        return self.mesh.size // self.height_shards

    @property
    def height_multiple(self) -> int:
        """What a height must be a multiple of to be spread over devices."""
        return STRIDE * self.height_shards

    def check_height(self, height: int, *, field: str) -> None:
        """Refuses training images that devices are to share and cannot.

        Raises:
            ValueError: `height`, in pixels, would not be spread.
        """
        multiple = self.height_multiple
        if self.height_shards > 1 and height % multiple:
            below = height - height % multiple
            nearest = f"{below} or {below + multiple}" if below else f"{multiple}"
            raise ValueError(
                f"Images of {height} rows cannot be shared by {self.height_shards} devices: every "
                f"device's rows must be a multiple of {STRIDE}. Set the height of {field} to "
                f"{nearest}, or config.parallel.height_shards to 1."
            )

    def put_state(self, state: Any) -> Any:
        """Copies every array of `state` to every device; every process gives all of them.

        Copies, since a train step reuses the memory of its state, which a caller may still hold.
        """
        return jax.tree.map(lambda x: self._put(x, P(), copied=True), state)

    def put_batch(self, batch: Any) -> Any:
        """Spreads arrays whose leading axis is the images; every process gives its own rows.

        Process i of n gives the i-th n-th of the global batch. Of arrays of three axes and more
        the second is an image's height: it is spread over the devices that share an image if it
        is a multiple of `height_multiple`; otherwise each of them holds it whole.
        """
        return jax.tree.map(lambda x: self._put(x, self._spec(x)), batch)

    def get_rows(self, results: Any) -> Any:
        """Returns the rows of this process of arrays whose leading axis is the images."""
        return jax.tree.map(_own_rows, results)

    def map_train_step(self, fn: Callable) -> Callable[[Any, Any], tuple[Any, Any]]:
        """Compiles fn(state, batch) -> (state, scalars); the old state's memory is reused.

        Args:
            fn: written for `axis`; returns the same values on every device.
        """
        return self._map(fn, outputs=P(), donate=(0,))

    def map_eval_step(self, fn: Callable) -> Callable[[Any, Any], Any]:
        """Compiles fn(variables, batch) -> results, leading axis the images.

        Args:
            fn: written for `axis`; every array it returns has a row an image.
        """
        return self._map(fn, outputs=self._rows, donate=())

    def _map(self, fn, *, outputs, donate):
        if self.backend == "mesh":
            run = self._distribute(fn, outputs, donate)
        elif self.backend == "shard_map":
            mapped = jax.shard_map(
                fn,
                mesh=self.mesh,
                in_specs=(P(), self._rows),
                out_specs=outputs,
                # True would sum the gradients of replicated parameters once more by itself: the
                # step would be device-count times too long, without an error.
                check_vma=False,
            )
            run = jax.jit(mapped, donate_argnums=donate)
        else:
            run = pmapped(fn, self.mesh, per_image=outputs != P(), donate=donate)

        def call(state, batch):
            # A first state from the host would compile a program of its own, for that call.
            return run(self.put_state(state), self.put_batch(batch))

        return call

    def _distribute(self, fn, outputs, donate):
        if outputs == P():
            place = NamedSharding(self.mesh, outputs)
            return jax.jit(fn, donate_argnums=donate, out_shardings=place)

        def spread(state, batch):
            return jax.tree.map(
                lambda x: jax.lax.with_sharding_constraint(
                    x, NamedSharding(self.mesh, self._spec(x))
                ),
                fn(state, batch),
            )

        return jax.jit(spread, donate_argnums=donate)

    @property
    def _rows(self) -> P:
        return P(self.mesh.axis_names[0])

    def _spec(self, x: Any) -> P:
        if self.height_shards == 1 or x.ndim < 3 or x.shape[1] % self.height_multiple:
            return self._rows
        return P(_DATA, _HEIGHT)

    def _put(self, x: Any, spec: P, *, copied: bool = False) -> jax.Array:
        place = NamedSharding(self.mesh, spec)
        # Of one device, a sharding of another type is equivalent and still another program's.
        placed = isinstance(x, jax.Array) and isinstance(x.sharding, NamedSharding)
        if placed and x.sharding.is_equivalent_to(place, x.ndim):
            return x
        if self.mesh.is_multi_process:
            rows = np.asarray(jax.device_get(x))
            # As explicit as `device_put`, but the guard does not know this way of placing.
            with jax.transfer_guard_host_to_device("allow"):
                return jax.make_array_from_process_local_data(place, rows)
        if copied and isinstance(x, jax.Array):
            x = x.copy()  # of one on the first device, `may_alias` takes no notice
        return jax.device_put(x, place, may_alias=not copied)


def _own_rows(x: jax.Array) -> np.ndarray:
    if x.is_fully_addressable:
        return jax.device_get(x)
    shards = [shard for shard in x.addressable_shards if shard.replica_id == 0]
    spans = [shard.index[0].indices(x.shape[0])[:2] for shard in shards]
    first, last = min(span[0] for span in spans), max(span[1] for span in spans)
    rows = np.empty((last - first, *x.shape[1:]), x.dtype)
    for shard, (start, stop) in zip(shards, spans, strict=True):
        rows[(slice(start - first, stop - first), *shard.index[1:])] = jax.device_get(shard.data)
    return rows
