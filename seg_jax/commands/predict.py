"""Predicts pictures with a trained trial or with published weights.

Writes for each picture NAME_mask.png, whose pixels are class ids, and NAME_overlay.jpg to look
at, and predictions.json about all of them. A network that was made for one input size sees
pictures resized to it, any other as they are, reduced where a side is longer than --max_side.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seg_jax.commands import options as shared
from seg_jax.commands.import_ import add_source
from seg_jax.config import ConfigError

if TYPE_CHECKING:
    from seg_jax.predict.network import Network
    from seg_jax.predict.run import Prediction

OUT = "predictions"
MAX_SIDE = 1024
"""Pixels; an FCN over ResNet-50 at output stride 8 then takes 1.6 GB of memory."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    parser.add_argument(
        "inputs", nargs="+", type=Path, metavar="PICTURE", help="picture, or folder of pictures"
    )
    network = parser.add_mutually_exclusive_group(required=True)
    network.add_argument(
        "--weights",
        type=Path,
        help="a file of `import`, a .tflite file, or with --source any file of published weights",
    )
    network.add_argument("--workdir", type=Path, help="folder of a trained trial")
    add_source(parser, required=False)
    parser.add_argument(
        "--out", type=Path, default=Path(OUT), help="folder for the results; default %(default)s"
    )
    parser.add_argument(
        "--max_side",
        type=int,
        default=MAX_SIDE,
        help="pixels of the longest side that a network sees; default %(default)s",
    )


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Runs the verb; 1 when a picture could not be read."""
    # Before its import: what it says about damaged files, the lines below say in other words.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    from seg_jax import compilation_cache
    from seg_jax.predict.pictures import find_pictures
    from seg_jax.predict.predictor import Predictor
    from seg_jax.predict.run import predict_pictures

    pictures = find_pictures(options.inputs, out=options.out)
    compilation_cache.enable()
    network = _network(options, overrides)
    predictor = Predictor(
        network.model,
        network.variables,
        network.preprocessing,
        input_size=network.input_size,
        max_side=options.max_side,
        averaged=network.averaged,
    )
    try:
        with _progress(len(pictures)) as on_picture:
            predictions = predict_pictures(
                pictures,
                predictor,
                network.labels,
                options.out,
                origin=network.origin,
                on_picture=on_picture,
            )
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(
            f"Interrupted. What is in {options.out} is whole; the same command starts again."
        ) from interrupt
    skipped = sum(bool(prediction.error) for prediction in predictions)
    print(f"{len(predictions) - skipped} pictures predicted, {skipped} skipped: {options.out}")
    return 1 if skipped else 0


def _network(options: argparse.Namespace, overrides: Sequence[str]) -> "Network":
    from seg_jax.predict.network import from_file, from_trial

    if options.weights is not None:
        shared.refuse(overrides)
        return from_file(options.weights, options.source, options.num_classes)
    from seg_jax.sweeps.lock import workdir_lock
    from seg_jax.validate import validate

    if options.source:
        raise ValueError("A trial knows its network. Leave --source out, or --workdir.")
    path = options.workdir / "config.json"
    if not path.is_file():
        raise ConfigError(
            f"{options.workdir} holds no config.json. Give the folder of one trial, such as "
            f"runs/quickstart/<uid>."
        )
    config = shared.load(str(path), overrides).config
    validate(config)
    with workdir_lock(options.workdir):
        return from_trial(config, options.workdir)


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[["Prediction"], None]]:
    """Yields what to call after each picture: prints a line, and moves a bar on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    from seg_jax.predict.run import percent

    console = Console(soft_wrap=True, markup=False, emoji=False, highlight=False)
    bar = Progress(
        console=console, disable=not console.is_terminal, redirect_stderr=sys.stderr.isatty()
    )

    def show(prediction: "Prediction") -> None:
        # Names of files may hold bytes that are no text.
        name = str(prediction.path).encode("utf-8", "replace").decode()
        if prediction.error:
            print(f"{name}: skipped, {prediction.error}.", file=sys.stderr)
        else:
            height, width = prediction.size
            found = ", ".join(
                f"{label} {percent(share)}" for label, share in prediction.shares.items()
            )
            console.print(f"{name} ({width}x{height}): {found}")
        bar.advance(task)

    with bar:
        task = bar.add_task("Pictures", total=total)
        yield show
