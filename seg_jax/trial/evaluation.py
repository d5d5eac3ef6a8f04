"""Evaluates a network on a split as the config says: scores, intervals, and what they come from."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from seg_jax.assemble import Task, data, steps
from seg_jax.config import Config
from seg_jax.data.example import Source
from seg_jax.evaluate.loop import Evaluation, evaluate
from seg_jax.evaluate.records import Records
from seg_jax.metrics.build import make_metrics
from seg_jax.metrics.class_counts import class_counts, class_scores
from seg_jax.metrics.confidence import Interval, bootstrap, one_by_one
from seg_jax.metrics.confusion import scores
from seg_jax.train.hosts import gather
from seg_jax.trial.gathering import of_all_hosts


@dataclasses.dataclass(frozen=True)
class Evaluated:
    """An evaluation of a split.

    Attributes:
        row: what `result.json` says of it, as JSON values.
        records: the counters of every image.
        samples: the first images with their predictions, see `Evaluation`.
    """

    row: dict[str, Any]
    records: Records
    samples: dict[str, np.ndarray]


class Evaluator:
    """Evaluates networks as a config says; compiles once for any number of evaluations."""

    def __init__(self, task: Task):
        """Compiles nothing yet.

        Args:
            task: what to evaluate, and how.

        Raises:
            ValueError: the network cannot have the output stride, or a metric is not defined
                for the classes.
        """
        evaluate = task.config.evaluate
        self._task = task
        self._protocol = steps.protocol_of(task.config)
        self._metrics = make_metrics(tuple(evaluate.metrics), classes=task.spec.classes)
        self._step = steps.eval_step(
            task,
            self._protocol,
            boundary_widths=tuple(evaluate.boundary_widths),
            probabilities=any(metric.needs_probabilities for metric in self._metrics.values()),
        )

    def __call__(
        self,
        variables: Any,
        source: Source,
        evaluated: Callable[[int, int], None] = lambda done, total: None,
    ) -> Evaluated:
        """Evaluates a network on the config's evaluation split.

        Args:
            variables: of the model.
            source: the split, or some of its images.
            evaluated: called with the number of images that are done, and that of all.

        Raises:
            ValueError: the protocol does not fit the images.
        """
        task, config, metrics = self._task, self._task.config, self._metrics
        widths = tuple(config.evaluate.boundary_widths)
        batches = data.eval_stream(
            config,
            source,
            num_devices=task.layout.num_data_shards,
            num_samples=config.evaluate.num_pictures,
            instances=any(metric.needs_instances for metric in metrics.values()),
        )
        found = of_all_hosts(
            evaluate(
                self._step,
                task.layout.put_state(variables),
                batches,
                get_rows=task.layout.get_rows,
                metrics=metrics,
                on_progress=lambda done: evaluated(done, len(source)),
            )
        )
        resamples = config.evaluate.resamples
        row = {
            "dataset": config.dataset.name,
            "split": config.dataset.eval_split,
            "protocol": {**self._protocol.as_dict(), **_padding(config)},
            "protocol_text": self._protocol.describe(),
            "metrics": _scores(found, task.spec.classes),
            "intervals": _intervals(found.confusion, resamples),
            "boundary_miou": {},
            "boundary_intervals": {},
            "num_eval_images": found.num_images,
            "inference_images_per_second": found.images_per_second,
            "data": {"eval": split_facts(config.dataset.eval_split, source)},
        }
        for place, width in enumerate(widths):
            row["boundary_miou"][str(width)] = _number(scores(found.bands_sum[place]).miou)
            interval = _intervals(found.bands[:, place], resamples)["miou"]
            row["boundary_intervals"][str(width)] = interval
        for name, metric in metrics.items():
            counters = _counters_of(name, found)
            sums = {counter: values.sum(axis=0) for counter, values in counters.items()}
            row["metrics"] |= {key: _number(value) for key, value in metric.score(sums).items()}
            further = bootstrap(counters, one_by_one(metric.score), resamples=resamples)
            row["intervals"] |= _lists(further)
        bands = {f"boundary/{width}": found.bands[:, place] for place, width in enumerate(widths)}
        counters = {"confusion": found.confusion, **bands, **found.counters}
        return Evaluated(row, Records(found.ids, counters), found.samples)


def measure_iou(
    task: Task, variables: Any, sources: Iterable[Source]
) -> Iterator[Float[np.ndarray, "k"]]:
    """Yields the IoU of every class on each split, NaN where it does not occur."""
    step = steps.eval_step(task, steps.protocol_of(task.config))
    variables = task.layout.put_state(variables)
    for source in sources:
        batches = data.eval_stream(task.config, source, num_devices=task.layout.num_data_shards)
        found = evaluate(step, variables, batches, get_rows=task.layout.get_rows)
        yield scores(gather(found.confusion).sum(axis=0, dtype=np.int64)).iou


def _padding(config: Config) -> dict[str, Any]:
    """Returns the colour that fills up windows, where there are some to fill up."""
    fills = config.evaluate.window in ("pad", "center_crop", "sliding")
    return {"pad_color": list(config.augment.pad_color)} if fills else {}


def split_facts(split: str, source: Source) -> dict[str, Any]:
    """Returns what says which images a split holds."""
    return {"split": split, "num_examples": len(source), "sha256": source.checksum}


def _scores(found: Evaluation, classes: tuple[str, ...]) -> dict[str, Any]:
    result = scores(found.confusion_sum)

    def by_class(values: np.ndarray) -> dict[str, float | None]:
        return {name: _number(value) for name, value in zip(classes, values, strict=True)}

    return {
        "miou": _number(result.miou),
        "pixel_accuracy": _number(result.pixel_accuracy),
        "mean_accuracy": _number(result.mean_accuracy),
        "frequency_weighted_iou": _number(result.frequency_weighted_iou),
        "mean_dice": _number(result.mean_dice),
        "iou_per_class": by_class(result.iou),
        "dice_per_class": by_class(result.dice),
        "precision_per_class": by_class(result.precision),
        "recall_per_class": by_class(result.recall),
    }


def _counters_of(name: str, found: Evaluation) -> dict[str, np.ndarray]:
    """Returns the counters of a further metric, [n, ...] each, by their own names."""
    prefix = f"{name}/"
    return {
        counter.removeprefix(prefix): values
        for counter, values in found.counters.items()
        if counter.startswith(prefix)
    }


def _intervals(confusion: np.ndarray, resamples: int) -> dict[str, list[float] | None]:
    """Returns the 95 % intervals over images of the scores of confusion matrices [n, k, k]."""
    return _lists(bootstrap(class_counts(confusion), class_scores, resamples=resamples))


def _lists(intervals: Mapping[str, Interval | None]) -> dict[str, list[float] | None]:
    """Returns intervals as JSON has them."""
    return {name: interval and list(interval) for name, interval in intervals.items()}


def _number(value: float) -> float | None:
    """Returns a number that JSON can hold, or None."""
    return float(value) if math.isfinite(value) else None
