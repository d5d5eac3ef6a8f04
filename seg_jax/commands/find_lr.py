"""Finds a learning rate: trains briefly while it grows, and plots the loss.

The network starts from the config's initial weights; nothing of it is kept. Everything but the
schedule is the config's own, so that the rate found is for its batch, loss and optimiser.
"""

import argparse
import contextlib
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seg_jax.commands import options as shared
from seg_jax.config import Config, ConfigError, apply_overrides

if TYPE_CHECKING:
    from seg_jax.train.find_lr import RangeTest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    shared.add_config(parser)
    parser.add_argument(
        "--workdir",
        type=Path,
        default=Path("runs/find_lr"),
        help="where find_lr.png and find_lr.csv are written; default runs/find_lr",
    )
    parser.add_argument("--min_lr", type=float, default=1e-6, help="of the first step; 1e-6")
    parser.add_argument("--max_lr", type=float, default=10.0, help="of the last step; 10")
    parser.add_argument("--num_steps", type=int, default=100, help="most steps to take; 100")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Runs the verb; 1 where the curve suggests no rate."""
    from seg_jax.validate import validate

    config = growing(
        shared.load(options.config, overrides).config,
        min_lr=options.min_lr,
        max_lr=options.max_lr,
        num_steps=options.num_steps,
    )
    validate(config)
    return _find(config, options.workdir)


def growing(config: Config, *, min_lr: float, max_lr: float, num_steps: int) -> Config:
    """Returns the config of a run whose rate grows from `min_lr` to `max_lr` in equal ratios.

    Raises:
        ConfigError: the rates or the number of steps leave nothing to read.
    """
    if not 0 < min_lr < max_lr:
        raise ConfigError(
            f"The rate cannot grow from {min_lr:g} to {max_lr:g}. Set --min_lr above 0 and "
            "--max_lr above it."
        )
    if num_steps < 50:
        raise ConfigError(
            f"--num_steps={num_steps} is too short a curve to be smoothed. Set it to 50 or more."
        )
    return apply_overrides(
        config,
        {
            "schedule.name": "exponential",
            "schedule.base_lr": min_lr,
            "schedule.factor": (max_lr / min_lr) ** (1 / (num_steps - 1)),
            "schedule.period": 1,
            "schedule.warmup_steps": 0,
            "train.num_steps": num_steps,
        },
    )


def _find(config: Config, workdir: Path) -> int:
    from seg_jax import compilation_cache
    from seg_jax.assemble import assemble, data, steps
    from seg_jax.commands.lr_plot import lr_figure, short
    from seg_jax.report.style import to_png
    from seg_jax.start import initial_state
    from seg_jax.train.find_lr import NoRateError, range_test, suggest

    def show(step: int, rate: float, loss: float) -> None:
        if step % 10 == 0:
            print(f"step {step}/{config.train.num_steps}  rate {short(rate)}  loss {loss:.4f}")

    compilation_cache.enable()
    task = assemble(config)
    source = data.open_train_split(config)
    weights = data.class_weights(config, task.spec.num_classes)
    task, state = initial_state(task)
    with contextlib.closing(data.train_stream(config, source, start_step=0)) as stream:

        def arrays() -> Iterator[Any]:
            for batch in stream:
                yield {name: x for name, x in batch.items() if name != "id"}

        curve = range_test(
            steps.train_step(task, class_weights=weights),
            state,
            arrays(),
            num_steps=config.train.num_steps,
            on_step=show,
        )
    suggestion, refusal = None, ""
    try:
        suggestion = suggest(curve)
    except NoRateError as error:
        refusal = str(error)
    workdir.mkdir(parents=True, exist_ok=True)
    _write_csv(workdir / "find_lr.csv", curve)
    (workdir / "find_lr.png").write_bytes(to_png(lr_figure(curve, suggestion)))
    seen = f"See {workdir / 'find_lr.png'}."
    if suggestion is None:
        print(f"{refusal} {seen}")
        return 1
    print(
        f"The loss falls fastest at --config.schedule.base_lr={short(suggestion.steepest)} and is "
        f"lowest at {short(suggestion.lowest)}, a tenth of which is {short(suggestion.tenth)}. "
        f"{seen}"
    )
    return 0


def _write_csv(path: Path, curve: "RangeTest") -> None:
    columns = ("learning_rate", "loss", "smoothed_learning_rate", "smoothed_loss")
    rows = zip(curve.rates, curve.losses, curve.smoothed_rates, curve.smoothed_losses, strict=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("step", *columns))
        writer.writerows((step, *map(float, row)) for step, row in enumerate(rows))
