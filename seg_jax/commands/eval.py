"""Evaluates a trained trial again: with another protocol, on another split, of another step.

Every question adds a row to the trial's evaluations.jsonl and keeps what was counted in each
image. Nothing is overwritten: what was asked before is answered from there.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seg_jax.commands import options as shared
from seg_jax.config import Config, ConfigError, to_dict
from seg_jax.files import read_json
from seg_jax.sweeps.plan import config_uid, flatten

CHANGEABLE = (
    "evaluate.",
    "parallel.",
    "dataset.eval_split",
    "dataset.data_dir",
    "dataset.in_memory",
)
"""Beginnings of the config fields in which an evaluation may differ from the training."""

UNASKED = ("batch_size", "every", "num_pictures", "probes")
"""Fields of config.evaluate that are no part of a question: the row is the same for any."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    parser.add_argument(
        "--config",
        help="default: the config.json of the trial, with --config.evaluate.flip=True and the "
        "like changed",
    )
    shared.add_workdir(parser, help="folder of a trial, or of a sweep for all finished trials")
    parser.add_argument(
        "--step",
        default="last",
        help="checkpoint to evaluate: last (default), best (by the mIoU measured during training), "
        "or a number",
    )


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Runs the verb; 1 when a trial of a sweep failed."""
    from seg_jax.sweeps.store import PLAN_FILE

    if not (options.workdir / PLAN_FILE).exists():
        _evaluate(options.workdir, options.config, overrides, options.step)
        return 0
    if options.config:
        raise ConfigError(
            f"{options.workdir} is a sweep, whose trials have a config each: leave out --config, "
            "and set single fields such as --config.evaluate.flip=True."
        )
    return _evaluate_sweep(options.workdir, overrides, options.step)


def _evaluate_sweep(workdir: Path, overrides: Sequence[str], step: str) -> int:
    from seg_jax.sweeps.status import is_done
    from seg_jax.sweeps.store import read_plan

    trials = read_plan(workdir).trials
    done = [trial for trial in trials if is_done(workdir / trial.uid)]
    if not done:
        raise ConfigError(f"No trial of {workdir} is finished; `launch.py sweep` continues them.")
    failed = 0
    for trial in done:
        print(f"{trial.title} ({trial.uid})")
        try:
            _evaluate(workdir / trial.uid, None, overrides, step)
        except (ValueError, OSError, RuntimeError) as error:
            # One damaged trial must not cost the others their evaluation.
            print(f"Failed: {trial.title}: {error}", file=sys.stderr)
            failed += 1
    if len(done) < len(trials):
        print(f"{len(trials) - len(done)} of {len(trials)} trials are not finished: left out.")
    return 1 if failed else 0


def _evaluate(folder: Path, path: str | None, overrides: Sequence[str], step: str) -> None:
    """Answers one question about one trial, and prints all that were answered."""
    from seg_jax.evaluate.rows import add_row, read_rows
    from seg_jax.sweeps.lock import workdir_lock
    from seg_jax.validate import validate

    if not (folder / "config.json").is_file():
        raise ConfigError(f"{folder} is neither the folder of a trial nor that of a sweep.")
    config = shared.load(path or str(folder / "config.json"), overrides).config
    _refuse_another_trial(folder, config)
    validate(config)
    with workdir_lock(folder):
        asked = _question(config, _find_step(folder, step))
        key = config_uid(asked)
        row = read_rows(folder).get(key)
        if row is not None and (folder / row["records"]).is_file():
            print(f"Evaluated before, on {row['time']}: row {key}. Nothing is computed again.")
        else:
            from seg_jax import compilation_cache
            from seg_jax.trial import evaluate_again

            compilation_cache.enable()
            answer, records = evaluate_again(config, folder, step=asked["step"])
            add_row(folder, key, asked, answer, records)
            print(f"Row {key}:")
    print(_table(folder))


def _refuse_another_trial(folder: Path, config: Config) -> None:
    """Refuses a config that contradicts the training.

    Raises:
        ConfigError: a field differs that is not `CHANGEABLE`.
    """
    now, trained = flatten(to_dict(config)), flatten(read_json(folder / "config.json"))
    for field in sorted(now.keys() | trained.keys()):
        if now.get(field) != trained.get(field) and not field.startswith(CHANGEABLE):
            advice = (
                "set config.evaluate.output_stride for another output stride"
                if field.endswith(".output_stride")
                else "an evaluation may change evaluate.*, parallel.*, dataset.eval_split, "
                "dataset.data_dir and dataset.in_memory"
            )
            raise ConfigError(
                f"{folder} was trained with {field}={trained.get(field)!r}, not "
                f"{now.get(field)!r}; {advice}."
            )


def _question(config: Config, step: int) -> dict[str, Any]:
    """Returns all that decides the answer, apart from the trial itself."""
    values = to_dict(config)
    return {
        "dataset": values["dataset"]["name"],
        "data_dir": values["dataset"]["data_dir"],
        "split": values["dataset"]["eval_split"],
        "evaluate": {k: v for k, v in values["evaluate"].items() if k not in UNASKED},
        "step": step,
        "weights": "ema" if values["train"].get("ema_decay") else "params",
    }


def _find_step(folder: Path, wanted: str) -> int:
    """Returns the step of the checkpoint that is asked for.

    Raises:
        ConfigError: there is none, or `wanted` is no way to ask.
    """
    names = (path.name for path in (folder / "checkpoints").glob("*"))
    saved = sorted(int(name) for name in names if name.isdigit())
    if not saved:
        raise ConfigError(
            f"{folder} holds no checkpoint. Train it first with `python launch.py train`."
        )
    if wanted == "last":
        return saved[-1]
    if wanted == "best":
        return _best_step(folder, saved)
    if not wanted.isdigit() or int(wanted) not in saved:
        raise ConfigError(
            f"--step={wanted} is no checkpoint of {folder}; take last, best or one of "
            f"{', '.join(map(str, saved))}."
        )
    return int(wanted)


def _best_step(folder: Path, saved: Sequence[int]) -> int:
    from seg_jax.logs import read_metrics

    measured = {
        row["step"]: row["miou"]
        for row in read_metrics(folder / "metrics.jsonl")
        if row.get("miou") is not None and row["step"] in saved
    }
    if not measured:
        raise ConfigError(
            f"No checkpoint of {folder} was evaluated during its training, so none is the best; "
            "config.evaluate.every and config.train.keep_best see to that."
        )
    # Of equals, the one trained longest.
    return max(measured, key=lambda step: (measured[step], step))


def _table(folder: Path) -> str:
    """Returns the trial's evaluations as a table: that of its training first."""
    from tabulate import tabulate

    from seg_jax.evaluate.rows import read_rows
    from seg_jax.sweeps.status import RESULT_FILE

    rows = []
    if (folder / RESULT_FILE).is_file():
        result = read_json(folder / RESULT_FILE)
        rows.append(_cells("training", result.get("num_steps", ""), result))
    rows += [_cells(key, row["asked"]["step"], row) for key, row in read_rows(folder).items()]
    headers = ("row", "split", "step", "protocol", "mIoU (%)", "95 % interval", "pixel acc. (%)")
    align = ("left", "left", "right", "left", "right", "center", "right")
    return tabulate(rows, headers, disable_numparse=True, colalign=align)


def _cells(name: str, step: int | str, row: Mapping[str, Any]) -> list[str]:
    interval = row.get("intervals", {}).get("miou")
    return [
        name,
        str(row["split"]),
        str(step),
        str(row.get("protocol_text", "")),
        _percent(row["metrics"]["miou"]),
        f"[{_percent(interval[0])}, {_percent(interval[1])}]" if interval else "-",
        _percent(row["metrics"]["pixel_accuracy"]),
    ]


def _percent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{100 * fraction:.2f}"
