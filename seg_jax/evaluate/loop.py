"""Runs the evaluation step over a whole split and sums its counts on the host."""

import dataclasses
import time
from collections.abc import Callable, Iterable
from typing import Any

import jax
import numpy as np

from seg_jax.typing import Batch


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Counts over a split.

    Attributes:
        confusion: int64 [k, k], label rows and prediction columns.
        bands: int64 [widths, k, k], the same inside each boundary band.
        num_images: images counted.
        images_per_second: of all batches but the first of every size, which compiles; 0 where
            there are no others.
        samples: the first images as asked for, by name since their sizes may differ: "id", the
            names in order, and of the image at place i of it "image_i" [h, w, 3], "label_i" and
            "prediction_i" [h, w], all uint8.
    """

    confusion: np.ndarray
    bands: np.ndarray
    num_images: int
    images_per_second: float
    samples: dict[str, np.ndarray]


def evaluate(
    step_fn: Callable[[Any, Batch], dict[str, jax.Array]],
    variables: Any,
    batches: Iterable[dict[str, Any]],
    *,
    num_samples: int = 0,
) -> Evaluation:
    """Evaluates every image exactly once.

    Args:
        step_fn: the mapped evaluation step.
        variables: of the model, "params" and "batch_stats".
        batches: with "image", "label", "id" and "num_examples"; rows from "num_examples"
            on are padding, labelled to be ignored.
        num_samples: how many of the first images to keep with their predictions.
    """
    confusion: np.ndarray | int = 0
    bands: np.ndarray | int = 0
    num_images, timed_images, timed_seconds = 0, 0, 0.0
    samples: dict[str, np.ndarray] = {}
    names: list[str] = []
    compiled: set[tuple[int, ...]] = set()
    for batch in batches:
        count = batch["num_examples"]
        began = time.perf_counter()
        result = jax.device_get(
            step_fn(variables, {"image": batch["image"], "label": batch["label"]})
        )
        if batch["label"].shape in compiled:
            timed_seconds += time.perf_counter() - began
            timed_images += count
        compiled.add(batch["label"].shape)
        confusion = confusion + result["confusion"].astype(np.int64).sum(axis=0)
        bands = bands + result["bands"].astype(np.int64).sum(axis=0)
        shown = {"image": batch["image"], "label": batch["label"]}
        shown["prediction"] = result["predictions"]
        for row, name in enumerate(batch["id"][: num_samples - len(names)]):
            samples |= {f"{kind}_{len(names)}": values[row] for kind, values in shown.items()}
            names.append(name)
        num_images += count
    if not num_images:
        raise ValueError("The evaluation split is empty; set config.dataset.eval_split to another.")
    return Evaluation(
        confusion=np.asarray(confusion),
        bands=np.asarray(bands),
        num_images=num_images,
        images_per_second=timed_images / timed_seconds if timed_images else 0.0,
        samples={"id": np.array(names, str), **samples},
    )
