"""Runs the evaluation step over a whole split and keeps the counts of every image."""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
import numpy as np

from seg_jax.evaluate.counters import CounterPool
from seg_jax.metrics.metric import Metric, Prediction


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Counts of every image, in the order of the split.

    Attributes:
        ids: names of the images; in several processes, those of this one.
        positions: their places in the split, ascending.
        confusion: int32 [n, k, k], label rows and prediction columns.
        bands: int32 [n, widths, k, k], the same inside each boundary band.
        counters: of the other metrics, "metric/counter" -> [n, ...].
        images_per_second: of all batches but the first of every shape, which compiles; 0 where
            there are no others.
        samples: the first images as asked for, by name since their sizes may differ: "id", the
            names in order, and of the image at place i of it "image_i" [h, w, 3], "label_i" and
            "prediction_i" [h, w], all uint8.
    """

    ids: tuple[str, ...]
    positions: tuple[int, ...]
    confusion: np.ndarray
    bands: np.ndarray
    counters: dict[str, np.ndarray]
    images_per_second: float
    samples: dict[str, np.ndarray]

    @property
    def num_images(self) -> int:
        """Number of images counted."""
        return len(self.ids)

    @property
    def confusion_sum(self) -> np.ndarray:
        """The confusion matrix of all images, int64 [k, k]."""
        return self.confusion.sum(axis=0, dtype=np.int64)

    @property
    def bands_sum(self) -> np.ndarray:
        """The confusion matrices of all images inside each band, int64 [widths, k, k]."""
        return self.bands.sum(axis=0, dtype=np.int64)


def evaluate(
    step: Callable[[Any, Any], dict[str, jax.Array]],
    variables: Any,
    batches: Iterable[Mapping[str, Any]],
    *,
    get_rows: Callable[[Any], Any] = jax.device_get,
    metrics: Mapping[str, Metric] | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Evaluation:
    """Evaluates every image exactly once.

    Args:
        step: an `EvalStep`; it has to return the probabilities if a metric reads them.
        variables: of the model, "params" and "batch_stats".
        batches: as `eval_batches` yields them, with instances if a metric reads them.
        get_rows: brings those rows of an array of the step to the host that this process gave
            it, such as `parallel.Layout.get_rows`; by default all.
        metrics: further metrics by name.
        on_progress: called with the number of images counted, after every batch.

    Raises:
        ValueError: there is no batch.
    """
    metrics = metrics or {}
    wanted = ["confusion", "bands"]
    wanted += ["probabilities"] * any(metric.needs_probabilities for metric in metrics.values())
    rows = _Rows()
    timed_images, timed_seconds = 0, 0.0
    compiled: set[tuple[Any, ...]] = set()
    with contextlib.closing(CounterPool(metrics)) as pool:
        for batch in batches:
            began = time.perf_counter()
            result = step(variables, batch)
            names = wanted + ["predictions"] * bool(metrics or batch["shown"])
            fetched = {name: get_rows(result[name])[batch["rows"]] for name in names}
            shapes = (batch["label"].shape, *(view["image"].shape for view in batch["views"]))
            if shapes in compiled:
                timed_seconds += time.perf_counter() - began
                timed_images += len(batch["ids"])
            compiled.add(shapes)
            rows.add(batch, fetched)
            if metrics:
                pool.submit(_predictions(batch, fetched))
            if on_progress:
                on_progress(len(rows.positions))
        counters = pool.result()
    if not rows.confusion:
        raise ValueError("The evaluation split is empty; set config.dataset.eval_split to another.")
    speed = timed_images / timed_seconds if timed_images else 0.0
    return rows.evaluation(counters, speed)


class _Rows:
    """What was counted so far, in the order of the batches."""

    def __init__(self):
        self.ids: list[str] = []
        self.positions: list[int] = []
        self.confusion: list[np.ndarray] = []
        self.bands: list[np.ndarray] = []
        self.samples: dict[int, tuple[str, np.ndarray, np.ndarray, np.ndarray]] = {}

    def add(self, batch: Mapping[str, Any], fetched: Mapping[str, np.ndarray]) -> None:
        self.ids += batch["ids"]
        self.positions += batch["positions"]
        self.confusion.append(fetched["confusion"])
        self.bands.append(fetched["bands"])
        for place, position in enumerate(batch["positions"]):
            if position in batch["shown"]:
                height, width = batch["sizes"][place]
                label = batch["label"][batch["rows"][place], :height, :width]
                prediction = fetched["predictions"][place, :height, :width]
                name, image = batch["ids"][place], batch["shown"][position]
                self.samples[position] = name, image, label.copy(), prediction.copy()

    def evaluation(self, counters: Mapping[str, np.ndarray], speed: float) -> Evaluation:
        order = np.argsort(np.array(self.positions, int))
        samples: dict[str, np.ndarray] = {}
        chosen = [self.samples[position] for position in sorted(self.samples)]
        for place, (_, *arrays) in enumerate(chosen):
            kinds = ("image", "label", "prediction")
            samples |= {f"{k}_{place}": a for k, a in zip(kinds, arrays, strict=True)}
        return Evaluation(
            ids=tuple(self.ids[i] for i in order),
            positions=tuple(self.positions[i] for i in order),
            confusion=np.concatenate(self.confusion)[order],
            bands=np.concatenate(self.bands)[order],
            counters={name: values[order] for name, values in counters.items()},
            images_per_second=speed,
            samples={"id": np.array([name for name, *_ in chosen], str), **samples},
        )


def _predictions(batch: Mapping[str, Any], fetched: Mapping[str, np.ndarray]) -> list[Prediction]:
    """Returns what is known about each image of a batch, its padding cut off."""
    predictions = []
    for place, (height, width) in enumerate(batch["sizes"]):
        probabilities, instances = fetched.get("probabilities"), batch["instances"]
        predictions.append(
            Prediction(
                prediction=fetched["predictions"][place, :height, :width],
                label=batch["label"][batch["rows"][place], :height, :width],
                probabilities=None
                if probabilities is None
                else probabilities[place, :height, :width],
                instances=instances[place] if instances else None,
            )
        )
    return predictions
