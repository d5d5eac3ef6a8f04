"""Which part of the machine each of the trials that run at a time may use.

CPU: every slot is pinned to its own share of the cores. XLA sizes its thread pool by the cores
the process may use when it starts, so without this N trials would run N machines' worth of
threads. The share depends on the number of slots alone, never on how many trials are left:
the same trial on fewer threads need not round the same.
GPU, TPU: the slot's environment shows it its own devices only.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

from seg_jax.cores import usable_cores

Platform = Literal["cpu", "gpu", "tpu"]


class SlotsError(ValueError):
    """The machine cannot be divided as asked; the message says how it can."""


@dataclasses.dataclass(frozen=True)
class Slot:
    """A share of the machine, used by one trial at a time.

    Attributes:
        environment: variables to set for the trial's process.
        cores: the cores it is pinned to; empty for all.
    """

    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    cores: tuple[int, ...] = ()


def make_slots(num_slots: int, *, platform: Platform, devices: Sequence[str]) -> list[Slot]:
    """Divides the machine.

    Args:
        num_slots: how many trials run at a time.
        platform: what the trials compute on.
        devices: ids of the GPUs or TPU chips to use; empty on a CPU. They are dealt out in
            turn; GPUs are shared, memory included, where there are fewer of them than slots.

    Raises:
        SlotsError: there are no slots, no devices, or too few TPU chips.
    """
    if num_slots < 1:
        raise SlotsError(f"{num_slots} trials at a time is not possible; ask for 1 or more.")
    if platform == "cpu":
        return [Slot(cores=_share(usable_cores(), i, num_slots)) for i in range(num_slots)]
    if not devices:
        raise SlotsError(f"No {platform} device to run on; list their ids, such as 0,1.")
    if platform == "gpu":
        return [Slot(_gpu(i, num_slots, devices)) for i in range(num_slots)]
    if num_slots > len(devices):
        raise SlotsError(
            f"{num_slots} trials at a time need as many TPU chips, and there are {len(devices)}: "
            "a chip serves one process; ask for fewer at a time."
        )
    if num_slots == 1:
        return [Slot({"TPU_VISIBLE_CHIPS": ",".join(devices)})]
    # One chip each: how several chips form a mesh depends on the board.
    alone = {"TPU_PROCESS_BOUNDS": "1,1,1", "TPU_CHIPS_PER_PROCESS_BOUNDS": "1,1,1"}
    return [Slot({"TPU_VISIBLE_CHIPS": chip, **alone}) for chip in devices[:num_slots]]


def _share(cores: tuple[int, ...], index: int, num_slots: int) -> tuple[int, ...]:
    """Returns neighbouring cores for slot `index`; one, shared, where there are too few."""
    if num_slots >= len(cores):
        return cores[index % len(cores) :][:1] if cores else ()
    start, stop = (len(cores) * i // num_slots for i in (index, index + 1))
    return cores[start:stop]


def _gpu(index: int, num_slots: int, devices: Sequence[str]) -> dict[str, str]:
    if num_slots <= len(devices):
        return {"CUDA_VISIBLE_DEVICES": ",".join(devices[index::num_slots])}
    sharing = -(-num_slots // len(devices))
    # JAX takes 75 % of the memory at start; a second process on the device would find none.
    return {
        "CUDA_VISIBLE_DEVICES": devices[index % len(devices)],
        "XLA_PYTHON_CLIENT_MEM_FRACTION": f"{0.9 / sharing:.2f}",
    }
