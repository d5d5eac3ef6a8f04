"""Trains, evaluates and probes one trial; resumes where it stopped."""

import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from seg_jax.assemble import Task, assemble, data, steps
from seg_jax.checkpoints import Checkpointer
from seg_jax.config import Config, apply_overrides, to_dict
from seg_jax.data.example import Source
from seg_jax.data.views import FirstSource
from seg_jax.evaluate.records import RECORDS_FILE, Records, write_records
from seg_jax.files import write_json
from seg_jax.logs import MetricsLog, Writers, read_metrics
from seg_jax.logs.pictures import Picture, compare_all
from seg_jax.start import initial_state, restore
from seg_jax.sweeps.plan import config_uid
from seg_jax.train.diverged import Evidence
from seg_jax.train.hosts import any_host, is_main
from seg_jax.train.loop import Evaluations, Pictures, train
from seg_jax.train.profile import Profiler
from seg_jax.train.progress import Progress
from seg_jax.train.state import TrainState
from seg_jax.trial.evaluation import Evaluator, measure_iou, split_facts
from seg_jax.trial.facts import network_facts, training_facts


@dataclasses.dataclass(frozen=True)
class Events:
    """What a trial tells whoever watches it.

    Attributes:
        phase: called with "compiling", "training" or "evaluating" when it begins.
        progress: called after every row of the metrics log.
        evaluated: called during evaluation with the images that are done, and all of them.
        stop_requested: asked after every step.
    """

    phase: Callable[[str], None]
    progress: Callable[[Progress], None]
    evaluated: Callable[[int, int], None]
    stop_requested: Callable[[], bool]


def run_trial(config: Config, workdir: Path, events: Events) -> dict[str, Any]:
    """Trains from the newest checkpoint on, evaluates, and writes `result.json`.

    In several processes all of them call it; the first one alone writes files.

    Raises:
        StoppedError: `events.stop_requested`; the same call continues to the same result.
        DivergedError: the loss is lost; the batch to blame is kept.
    """
    events.phase("compiling")
    task = assemble(config)
    # All, before the first step: a split that is not there must not show up after the last.
    train_source = data.open_train_split(config)
    eval_source = data.open_split(config, config.dataset.eval_split)
    weights = data.class_weights(config, task.spec.num_classes)
    task, state = initial_state(task)
    evaluator = Evaluator(task)
    with contextlib.ExitStack() as stack:
        checkpointer = stack.enter_context(
            Checkpointer(
                workdir / "checkpoints",
                keep_last=config.train.keep_last,
                keep_every=config.train.keep_every,
                keep_best=config.train.keep_best,
            )
        )
        state = task.layout.put_state(checkpointer.restore(state) or state)
        resume_at = int(state.step)
        log, history = _open_logs(task, workdir, resume_at)
        stack.enter_context(contextlib.closing(log))
        stream = data.train_stream(config, train_source, start_step=resume_at)
        stack.enter_context(contextlib.closing(stream))
        profiler = Profiler(workdir / "profile", tuple(config.log.profile_steps))

        def on_progress(progress: Progress) -> None:
            events.phase("training")
            events.progress(progress)

        state, timing = train(
            steps.train_step(task, class_weights=weights),
            state,
            stream,
            checkpointer,
            log,
            num_steps=config.train.num_steps,
            batch_size=config.train.batch_size,
            log_every=config.train.log_every,
            checkpoint_every=config.train.checkpoint_every,
            on_progress=on_progress,
            # A signal reaches one host, and all have to stop at the same step.
            stop_requested=lambda: any_host(events.stop_requested()),
            history=history,
            evaluations=_evaluations(task, evaluator, eval_source, events),
            pictures=_pictures(task, evaluator, eval_source),
            evidence=_evidence(task, train_source, workdir) if is_main() else None,
            profiler=stack.enter_context(profiler),
        )
        events.phase("evaluating")
        evaluated = evaluator(state.variables, eval_source, events.evaluated)
        result = {**network_facts(task, state.params, eval_source), **evaluated.row}
        probes, probed = _probe(task, state.variables)
        if result["metrics"]["miou"] is not None:
            log.write(config.train.num_steps, {"miou": result["metrics"]["miou"]})
    result["probes"] = probes
    result["confusion"] = evaluated.records.counters["confusion"].sum(axis=0).tolist()
    result["data"] |= {
        "probes": probed,
        "train": split_facts(config.dataset.train_split, train_source),
        "skipped": len(stream.skipped),
    }
    if is_main():
        result |= training_facts(task, timing, workdir)
        write_records(workdir / RECORDS_FILE, *evaluated.records)
        np.savez_compressed(workdir / "predictions.npz", allow_pickle=False, **evaluated.samples)
        write_json(workdir / "result.json", result)
    return result


def evaluate_again(
    config: Config, workdir: Path, *, step: int | None = None
) -> tuple[dict[str, Any], Records]:
    """Evaluates a checkpoint in `workdir` as `config` says; trains nothing and writes nothing.

    Args:
        config: of the trial, `evaluate` and the split changed as wanted.
        workdir: the trial's folder.
        step: of the checkpoint; the newest by default.

    Raises:
        ConfigError: there is no checkpoint.
    """
    task, restored = restore(config, workdir, step=step)
    source = data.open_split(config, config.dataset.eval_split)
    evaluated = Evaluator(task)(restored.variables, source)
    return evaluated.row, evaluated.records


def _open_logs(
    task: Task, workdir: Path, resume_at: int
) -> tuple[Writers, tuple[Mapping[str, Any], ...]]:
    """Returns what takes the rows of this process, and the rows up to the resume."""
    config = task.config
    if not is_main():
        # The same history everywhere: it decides which evaluation is still to be made.
        rows = read_metrics(workdir / "metrics.jsonl")
        return Writers(), tuple(row for row in rows if row["step"] <= resume_at)
    metrics = MetricsLog(workdir / "metrics.jsonl", resume_at=resume_at)
    writers: list[Any] = [metrics]
    if config.log.tensorboard:
        from seg_jax.logs.tensorboard import TensorBoardWriter

        writers.append(TensorBoardWriter(workdir / "tensorboard", resume_at=resume_at))
    if config.log.wandb_project:
        from seg_jax.logs.weights_and_biases import WandbWriter

        name = config.label or config.model.name
        writers.append(
            WandbWriter(
                workdir,
                project=config.log.wandb_project,
                run_id=config_uid(to_dict(config)),
                name=f"{name} seed {config.seed}",
                config=to_dict(config),
            )
        )
    return Writers(writers), metrics.rows


def _evaluations(
    task: Task, evaluator: Evaluator, source: Source, events: Events
) -> Evaluations | None:
    if not task.config.evaluate.every:
        return None

    def run(state: TrainState) -> dict[str, float]:
        events.phase("evaluating")
        try:
            evaluated = evaluator(state.variables, source, events.evaluated)
        finally:
            events.phase("training")
        names = ("miou", "pixel_accuracy")
        scores = {name: evaluated.row["metrics"][name] for name in names}
        return {name: value for name, value in scores.items() if value is not None}

    return Evaluations(task.config.evaluate.every, run)


def _pictures(task: Task, evaluator: Evaluator, source: Source) -> Pictures | None:
    if not task.config.log.pictures_every:
        return None
    shown = FirstSource(source, task.config.evaluate.num_pictures)

    def draw(state: TrainState) -> dict[str, Picture]:
        return compare_all(evaluator(state.variables, shown).samples, task.spec.palette)

    return Pictures(task.config.log.pictures_every, draw)


def _evidence(task: Task, source: Source, workdir: Path) -> Evidence:
    def batch_of(steps_before: int) -> Mapping[str, Any]:
        # Made again: a batch is a function of the step.
        config = apply_overrides(task.config, {"dataset.num_workers": 0})
        stream = data.train_stream(config, source, start_step=steps_before)
        with contextlib.closing(stream):
            return next(stream)

    return Evidence(workdir, task.spec.palette, batch_of)


def _probe(task: Task, variables: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Returns the mIoU at every level of the dataset's probes, and what splits they are."""
    probes, splits = [], []
    for probe in task.spec.probes if task.config.evaluate.probes else ():
        members = [task.spec.classes.index(name) for name in probe.classes]
        sources = [data.open_split(task.config, probe.split(level)) for level in probe.levels]
        splits += map(split_facts, map(probe.split, probe.levels), sources)
        found = [iou[members] for iou in measure_iou(task, variables, sources)]
        miou = [None if np.isnan(iou).all() else float(np.nanmean(iou)) for iou in found]
        probes.append({**dataclasses.asdict(probe), "miou": miou})
    return probes, splits
