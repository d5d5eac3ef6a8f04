"""Writes shards in this process or in several at once."""

import concurrent.futures
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from multiprocessing.synchronize import Event

import cv2

from seg_jax.cores import count_cores
from seg_jax.data.preparation.shards import Outcome, Shard, write_shard

WORTHWHILE = 200_000_000
"""Bytes of images from which on processes pay: each takes about a second to start, and one
core converts some 25 MB a second."""

_AHEAD = 2
"""Shards in flight for every process: it never waits, and few are pickled ahead of time."""


def choose_jobs(jobs: int | None, num_bytes: int) -> int:
    """Returns the number of processes.

    Args:
        jobs: what the user asks for; None leaves it to the size of the work.
        num_bytes: bytes of images to convert.

    Raises:
        ValueError: `jobs` is not positive.
    """
    if jobs is None:
        return count_cores() if num_bytes >= WORTHWHILE else 1
    if jobs < 1:
        raise ValueError(f"--jobs={jobs} must be at least 1; leave it out to use every core.")
    return jobs


def write_shards(shards: Sequence[Shard], jobs: int) -> Iterator[Outcome]:
    """Yields what became of each shard, as they get done.

    Closing the iterator stops the processes at their next item.

    Args:
        shards: what to write.
        jobs: number of processes; 1 works in this one.

    Raises:
        WriteError: the disk did not take a shard.
        RuntimeError: a process was killed.
    """
    jobs = min(jobs, len(shards))
    if jobs <= 1:
        yield from map(write_shard, shards)
        return
    # A forked process may inherit locked locks of threads, among them those of OpenCV.
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    pool = concurrent.futures.ProcessPoolExecutor(
        jobs, mp_context=context, initializer=_start_worker, initargs=(stop,)
    )
    waiting, running = iter(shards), set()
    try:
        while True:
            for shard in waiting:
                running.add(pool.submit(_work, shard))
                if len(running) >= _AHEAD * jobs:
                    break
            if not running:
                return
            done, running = concurrent.futures.wait(
                running, return_when=concurrent.futures.FIRST_COMPLETED
            )
            for future in done:
                yield future.result()
    except concurrent.futures.BrokenExecutor as error:
        raise RuntimeError(
            "A process that converted examples was killed, by a person or by the system for want "
            "of memory. Give the same command again: it continues; with --jobs=1 it needs the "
            "least memory."
        ) from error
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


_stop: list[Event] = []


def _start_worker(stop: Event) -> None:
    _stop.append(stop)
    # Ctrl-C reaches every process of the terminal; the first one tells the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this process when its parent is gone, for which a killed one could not care."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(shard: Shard) -> Outcome:
    return write_shard(shard, _stop[0].is_set)
