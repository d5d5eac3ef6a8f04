"""Several processes, one a host, that train one network: meeting, agreeing and adding up.

The batch of a config is that of all processes together, so their number is no part of a config:
it comes from the command line or from the cluster. Everything here but `initialise` works in a
single process, too, where it costs nothing. What every process has to call is collective: one that
leaves it out keeps the others waiting.
"""

import hashlib

import jax
import numpy as np
from jax.experimental import multihost_utils


def initialise(
    coordinator: str | None = None,
    *,
    num_processes: int | None = None,
    process_id: int | None = None,
    timeout_s: int = 300,
) -> None:
    """Joins this process to the others, before anything else touches JAX.

    Without arguments the cluster says who belongs to it: Slurm, Open MPI, Kubernetes and TPU pods
    do (`jax.distributed.initialize`).

    Args:
        coordinator: "HOST:PORT" of process 0, as the others reach it.
        num_processes: how many there are.
        process_id: which of them this is, from 0.
        timeout_s: seconds to wait for the others.

    Raises:
        ValueError: some arguments are given and others not, or they cannot be.
        RuntimeError: JAX is in use already, no cluster answers, or the others do not come.
    """
    given = (coordinator, num_processes, process_id)
    if coordinator is None or num_processes is None or process_id is None:
        if given != (None, None, None):
            raise ValueError(
                "A run in several processes needs all of --coordinator=HOST:PORT, "
                "--num_processes=N and --process_id=I, or --distributed alone on a cluster that "
                "JAX knows."
            )
    else:
        host, _, port = coordinator.rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError(
                f"--coordinator={coordinator} is not HOST:PORT, for instance 10.0.0.1:8476."
            )
        if num_processes < 1 or not 0 <= process_id < num_processes:
            raise ValueError(
                f"--process_id={process_id} is not one of the {num_processes} processes of "
                f"--num_processes: they are counted from 0."
            )
    # It would take SIGTERM for itself: the command's own handler would never hear of it.
    jax.config.update("jax_enable_preemption_service", False)
    try:
        jax.distributed.initialize(
            coordinator, num_processes, process_id, initialization_timeout=timeout_s
        )
    except ValueError as error:
        raise RuntimeError(
            f"JAX finds no cluster around this process ({error}) Give --coordinator=HOST:PORT, "
            "--num_processes=N and --process_id=I instead of --distributed."
        ) from error
    except jax.errors.JaxRuntimeError as error:
        raise RuntimeError(
            f"Process {process_id} of {num_processes} did not meet the others at {coordinator} "
            f"within {timeout_s} s. Start every process with the same --coordinator, whose port "
            "must be free on the host of process 0 and reachable from the others."
        ) from error


def is_main() -> bool:
    """Tells whether this process writes the files of the trial; exactly one does."""
    return jax.process_index() == 0


def gather(rows: np.ndarray) -> np.ndarray:
    """Returns the rows of all processes, those of process 0 first.

    Args:
        rows: host array [n, ...] of any dtype of fixed size; n may differ between processes.
    """
    if jax.process_count() == 1:
        return rows
    # As bytes: JAX would cut 64-bit numbers down to 32.
    flat = np.ascontiguousarray(rows).reshape(-1).view(np.uint8)
    counts = _all(np.array([rows.shape[0], flat.size], np.int32))
    padded = np.zeros(counts[:, 1].max(), np.uint8)
    padded[: flat.size] = flat
    parts = [
        part[:size].view(rows.dtype).reshape(count, *rows.shape[1:])
        for part, (count, size) in zip(_all(padded), counts, strict=True)
    ]
    return np.concatenate(parts)


def any_host(flag: bool) -> bool:
    """Tells whether a process says so, to all of them alike.

    A request to stop reaches one host; asked after a step, this lets all stop at that step.
    """
    return bool(_all(np.array(flag, np.uint8)).any())


def check_same(text: str, *, what: str) -> None:
    """Refuses to go on where processes were given different texts.

    Args:
        text: what has to be the same everywhere, for instance a config as JSON.
        what: name of it for the message.

    Raises:
        ValueError: another process has another text; all of them raise.
    """
    digest = np.frombuffer(hashlib.sha256(text.encode()).digest(), np.uint8)
    different = [
        number for number, other in enumerate(gather(digest[None])) if (other != digest).any()
    ]
    if different:
        raise ValueError(
            f"{what} of process {jax.process_index()} is not that of process "
            f"{', '.join(map(str, different))}. Start every process with the same {what}."
        )


def _all(x: np.ndarray) -> np.ndarray:
    """Returns [processes, ...]; the shapes must agree."""
    # Through JAX's devices, and implicitly; a guard around a training loop does not mean it.
    with jax.transfer_guard("allow"):
        return np.asarray(multihost_utils.process_allgather(x))
