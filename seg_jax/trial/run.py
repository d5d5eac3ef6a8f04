"""One trial from its config to its `result.json`: train, evaluate, probe."""

import collections
import contextlib
import dataclasses
import importlib.metadata
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from seg_jax import assemble
from seg_jax.checkpoints import Checkpointer
from seg_jax.config import Config, to_dict
from seg_jax.cores import count_cores
from seg_jax.data.example import Source
from seg_jax.describe import count_flops, count_parameters
from seg_jax.evaluate.loop import Evaluation, evaluate
from seg_jax.files import write_json
from seg_jax.metrics.confusion import scores
from seg_jax.start import initial_state, restore
from seg_jax.train.loop import MetricsLog, Progress, Timing, read_metrics, train
from seg_jax.train.state import TrainState

PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy", "grain")


@dataclasses.dataclass(frozen=True)
class Events:
    """What a trial tells whoever watches it.

    Attributes:
        phase: called with "compiling", "training" or "evaluating" when it begins.
        progress: called after every row of the metrics log.
        stop_requested: asked after every step.
    """

    phase: Callable[[str], None]
    progress: Callable[[Progress], None]
    stop_requested: Callable[[], bool]


def run_trial(config: Config, workdir: Path, events: Events) -> dict[str, Any]:
    """Trains from the newest checkpoint on, evaluates, and writes `result.json`.

    Raises:
        StoppedError: `events.stop_requested`; the same call continues to the same result.
    """
    events.phase("compiling")
    task = assemble.assemble(config)
    # Both, before the first step: a split that is not there must not show up after the last.
    train_source, eval_source = (
        assemble.open_split(config, split)
        for split in (config.dataset.train_split, config.dataset.eval_split)
    )
    task, state = initial_state(task)
    with contextlib.ExitStack() as stack:
        checkpointer = stack.enter_context(Checkpointer(workdir / "checkpoints"))
        state = checkpointer.restore(state) or state
        resume_at = int(state.step)
        log = MetricsLog(workdir / "metrics.jsonl", resume_at=resume_at)
        stream = assemble.train_stream(task, train_source, start_step=resume_at)
        stack.enter_context(contextlib.closing(stream))

        def on_progress(progress: Progress) -> None:
            events.phase("training")
            events.progress(progress)

        state, timing = train(
            assemble.train_step(task),
            state,
            stream,
            checkpointer,
            log,
            num_steps=config.train.num_steps,
            log_every=config.train.log_every,
            checkpoint_every=config.train.checkpoint_every,
            on_progress=on_progress,
            stop_requested=events.stop_requested,
        )
    events.phase("evaluating")
    result = _evaluate(task, state, eval_source, workdir / "predictions.npz")
    log.write(config.train.num_steps, {"miou": result["metrics"]["miou"]})
    result["data"]["train"] = _data_facts(config.dataset.train_split, train_source)
    result["data"]["skipped"] = len(stream.skipped)
    result.update(_training_facts(config, timing, workdir))
    write_json(workdir / "result.json", result)
    return result


def evaluate_again(config: Config, workdir: Path) -> dict[str, Any]:
    """Evaluates the newest checkpoint in `workdir` as `config` says; trains nothing.

    Raises:
        ConfigError: there is no checkpoint.
    """
    task, restored = restore(config, workdir)
    source = assemble.open_split(config, config.dataset.eval_split)
    return _evaluate(task, restored, source, workdir / "eval_predictions.npz")


def _evaluate(
    task: assemble.Task, state: TrainState, source: Source, pictures: Path
) -> dict[str, Any]:
    """Returns the part of `result.json` that evaluation fills in; writes the predictions."""
    config, spec = task.config, task.spec
    widths = tuple(config.evaluate.boundary_widths)
    variables = {"params": state.params, "batch_stats": state.batch_stats}
    evaluation = evaluate(
        assemble.eval_step(task, boundary_widths=widths),
        variables,
        assemble.eval_stream(task, source),
        num_samples=config.evaluate.num_pictures,
    )
    np.savez_compressed(pictures, allow_pickle=False, **evaluation.samples)
    data: dict[str, Any] = {"eval": _data_facts(config.dataset.eval_split, source), "probes": []}
    probes = []
    step = assemble.eval_step(task, boundary_widths=())
    for probe in spec.probes if config.evaluate.probes else ():
        members = [spec.classes.index(name) for name in probe.classes]
        miou = []
        for level in probe.levels:
            pinned = assemble.open_split(config, probe.split(level))
            data["probes"].append(_data_facts(probe.split(level), pinned))
            batches = assemble.eval_stream(task, pinned)
            iou = scores(evaluate(step, variables, batches).confusion).iou[members]
            miou.append(None if np.isnan(iou).all() else float(np.nanmean(iou)))
        probes.append({**dataclasses.asdict(probe), "miou": miou})
    size = _most_frequent_size(source)
    return {
        "experiment": config.experiment,
        "label": config.label or config.model.name,
        "seed": config.seed,
        "dataset": config.dataset.name,
        "split": config.dataset.eval_split,
        "weights": config.weights.name,
        "classes": list(spec.classes),
        "palette": [list(colour) for colour in spec.palette],
        "metrics": _metrics(evaluation.confusion, spec.classes),
        "boundary_miou": _boundary(evaluation, widths),
        "probes": probes,
        "confusion": evaluation.confusion.tolist(),
        "num_eval_images": evaluation.num_images,
        "inference_images_per_second": evaluation.images_per_second,
        "num_parameters": count_parameters(state.params),
        "flops": count_flops(task.model, size),
        "image_size": list(size),
        "data": data,
    }


def _data_facts(split: str, source: Source) -> dict[str, Any]:
    return {"split": split, "num_examples": len(source), "sha256": source.checksum}


def _most_frequent_size(source: Source) -> tuple[int, int]:
    """Returns the (height, width) that most examples have; of several, the one met first."""
    counts = collections.Counter(map(source.size, range(len(source))))
    return counts.most_common(1)[0][0]


def _metrics(confusion: np.ndarray, classes: tuple[str, ...]) -> dict[str, Any]:
    result = scores(confusion)
    return {
        "miou": result.miou,
        "pixel_accuracy": result.pixel_accuracy,
        "mean_accuracy": result.mean_accuracy,
        "frequency_weighted_iou": result.frequency_weighted_iou,
        "iou_per_class": {
            name: None if np.isnan(value) else float(value)
            for name, value in zip(classes, result.iou, strict=True)
        },
    }


def _boundary(evaluation: Evaluation, widths: tuple[int, ...]) -> dict[str, float]:
    return {
        str(width): scores(confusion).miou
        for width, confusion in zip(widths, evaluation.bands, strict=True)
    }


def _training_facts(config: Config, timing: Timing, workdir: Path) -> dict[str, Any]:
    """Returns what training cost and on what; times span every process of a resumed trial."""
    rows = [row for row in read_metrics(workdir / "metrics.jsonl") if "loss" in row]
    speeds = [row["images_per_second"] for row in rows if row["images_per_second"]]
    return {
        "uid": workdir.name,
        "config": to_dict(config),
        "num_steps": config.train.num_steps,
        "global_batch_size": config.train.batch_size,
        "train_seconds": rows[-1]["seconds"],
        "compile_seconds": timing.compile_seconds,
        "images_per_second": float(np.median(speeds)) if speeds else timing.images_per_second,
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "hardware": {
            "backend": jax.default_backend(),
            "device": jax.devices()[0].device_kind,
            "num_devices": jax.device_count(),
            "num_cpus": count_cores(),
        },
        "commit": _commit(),
    }


def _commit() -> str:
    """Returns the checkout's commit, marked where files differ from it; "" outside git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--match="]
    try:
        folder = Path(__file__).parent
        found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return found.stdout.strip()
