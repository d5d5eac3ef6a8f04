"""What a training run tells about itself while it runs, and once it has ended."""

import dataclasses
from collections.abc import Mapping

import jax


class StoppedError(RuntimeError):
    """Training was asked to stop; the state is saved."""


@dataclasses.dataclass(frozen=True)
class DeviceMemory:
    """Memory of the fullest of this process's devices, in bytes.

    Attributes:
        used: at present.
        peak: at most so far.
        limit: what may be used; 0 where the device does not say.
    """

    used: int
    peak: int
    limit: int


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where training stands.

    Attributes:
        step: number of steps taken.
        loss: of the last step.
        learning_rate: of the last step.
        images_per_second: since the last row, compilation and evaluation not counted.
        data_wait: share of that time, in [0, 1], in which the next batch was not there yet.
        seconds_left: estimate for the remaining steps and the evaluations between them.
        memory: of the devices; None where they do not tell, as CPUs do not.
        scores: of the last evaluation during training; empty before the first one.
        scores_step: the step that they are of; 0 before the first evaluation.
    """

    step: int
    loss: float
    learning_rate: float
    images_per_second: float
    data_wait: float
    seconds_left: float
    memory: DeviceMemory | None = None
    scores: Mapping[str, float] = dataclasses.field(default_factory=dict)
    scores_step: int = 0


@dataclasses.dataclass(frozen=True)
class Timing:
    """What training took in this process.

    Attributes:
        compile_seconds: the first step, which is nearly all tracing and compilation.
        train_seconds: the steps after it, without the evaluations between them.
        images_per_second: of the steps after the first one; 0 when there were none.
    """

    compile_seconds: float
    train_seconds: float
    images_per_second: float


def device_memory() -> DeviceMemory | None:
    """Returns the memory of the fullest device; None where devices do not tell."""
    found = [stats for device in jax.local_devices() if (stats := device.memory_stats())]
    found = [stats for stats in found if "bytes_in_use" in stats]
    if not found:
        return None
    fullest = max(found, key=lambda stats: stats["bytes_in_use"])
    used = fullest["bytes_in_use"]
    return DeviceMemory(used, fullest.get("peak_bytes_in_use", used), fullest.get("bytes_limit", 0))
