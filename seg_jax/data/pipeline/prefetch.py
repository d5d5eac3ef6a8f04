"""Makes batches ahead of their use: in threads of this process, or in worker processes."""

from collections.abc import Generator
from typing import Any

import cv2
import grain
from absl import flags

from seg_jax.cores import count_cores
from seg_jax.data.pipeline.workers import explain, start_worker
from seg_jax.data.validate import DataError

MAX_THREADS = 16


def prefetch(
    batches: grain.MapDataset[Any], *, num_threads: int | None = None, num_workers: int = 0
) -> Generator[Any, None, None]:
    """Yields the batches in order; closing the generator ends its threads and processes.

    Args:
        batches: makes batch i when asked for it.
        num_threads: threads that make batches, in each worker or in this process; by default
            the cores divided among the workers, at most MAX_THREADS; 0 makes them in the
            caller's thread.
        num_workers: processes that make batches; 0 for none. They take seconds to start, so
            they pay only where Python's lock, and not decoding, is what threads wait for.

    Raises:
        DataError: an example cannot be used.
        RuntimeError: a worker died.
    """
    if num_threads is None:
        num_threads = max(1, min(MAX_THREADS, count_cores() // max(num_workers, 1)))
    # OpenCV's own pool, one a process, would compete with these threads for the same cores.
    cv2.setNumThreads(1)
    options = grain.ReadOptions(num_threads=num_threads, prefetch_buffer_size=2 * num_threads)
    dataset = batches.to_iter_dataset(options)
    if num_workers:
        # Grain reads settings for workers from flags, which only absl's own main would parse.
        flags.FLAGS.mark_as_parsed()
        processes = grain.MultiprocessingOptions(num_workers, per_worker_buffer_size=2)
        dataset = dataset.mp_prefetch(processes, worker_init_fn=start_worker)
    iterator = iter(dataset)
    try:
        yield from iterator
    except DataError as error:
        # Raised here once more: the trace of a worker is rebuilt from text, and by that alone
        # nobody could tell that the sentence is meant for the user.
        raise error.with_traceback(None) from None
    except RuntimeError as error:
        explained = explain(error)
        if explained is None:
            raise
        raise explained from error
    finally:
        iterator.close()
