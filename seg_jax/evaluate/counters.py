"""Counters of the metrics beyond the confusion matrix, counted by threads of the host."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from seg_jax.cores import count_cores
from seg_jax.metrics.metric import Metric, Prediction


def count_image(metrics: Mapping[str, Metric], image: Prediction) -> dict[str, np.ndarray]:
    """Returns the counters of one image as "metric/counter"."""
    return {
        f"{name}/{counter}": np.asarray(value)
        for name, metric in metrics.items()
        for counter, value in metric.count(image).items()
    }


class CounterPool:
    """Counts images while the device is busy with others; close it after use."""

    def __init__(self, metrics: Mapping[str, Metric]):
        self._metrics = metrics
        self._pool = ThreadPoolExecutor(max_workers=count_cores())
        self._pending: list[Future[dict[str, np.ndarray]]] = []
        self._rows: list[dict[str, np.ndarray]] = []

    def submit(self, images: Sequence[Prediction]) -> None:
        """Takes further images, after those given before have been counted.

        Never more than one batch waits, since probabilities of an image take megabytes.
        """
        self._collect()
        self._pending = [self._pool.submit(count_image, self._metrics, image) for image in images]

    def result(self) -> dict[str, np.ndarray]:
        """Returns the counters of all images in the order in which they were given."""
        self._collect()
        names = self._rows[0] if self._rows else ()
        return {name: np.stack([row[name] for row in self._rows]) for name in names}

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown(cancel_futures=True)

    def _collect(self) -> None:
        self._rows += [future.result() for future in self._pending]
        self._pending = []
