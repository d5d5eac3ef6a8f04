"""Trains and evaluates one trial, from its newest checkpoint on.

Killed at any moment, the same command continues to the same result, bit for bit.
"""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from seg_jax.commands import options as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    shared.add_config(parser)
    shared.add_workdir(parser, help="folder of the trial; made if absent")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Runs the verb; 143 when SIGTERM stopped it, 130 on Ctrl-C, with the state saved."""
    from seg_jax.sweeps.lock import workdir_lock
    from seg_jax.sweeps.status import is_done
    from seg_jax.validate import validate

    config = shared.load(options.config, overrides).config
    validate(config)
    with workdir_lock(options.workdir):
        shared.keep_config(options.workdir, config)
        if is_done(options.workdir):
            print(
                f"{options.workdir} is done; see its result.json. Use another --workdir to "
                "train again."
            )
            return 0
        return _train(options, config)


def _train(options: argparse.Namespace, config) -> int:
    from seg_jax import compilation_cache
    from seg_jax.sweeps.status import Status, write_status
    from seg_jax.train.loop import Progress, StoppedError
    from seg_jax.trial import Events, run_trial

    folder = options.workdir
    stop = threading.Event()
    received: list[int] = []

    def on_signal(number, _):
        received.append(number)
        if stop.is_set() or status.get("phase") == "evaluating":
            # Asked twice, or nothing left to save.
            raise StoppedError("Stopped; what is saved is kept.")
        stop.set()

    status: dict[str, Any] = {"state": "running", "num_steps": config.train.num_steps}
    previous = {
        number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)
    }

    def tell(**changes) -> None:
        status.update(changes)
        write_status(folder, Status(**status))

    def on_progress(progress: Progress) -> None:
        tell(
            phase="training",
            step=progress.step,
            loss=progress.loss,
            images_per_second=progress.images_per_second,
            seconds_left=progress.seconds_left,
        )
        print(
            f"step {progress.step}/{config.train.num_steps}  loss {progress.loss:.4f}  "
            f"{progress.images_per_second:.1f} images/s  {progress.seconds_left:.0f} s left",
            flush=True,
        )

    compilation_cache.enable()
    try:
        result = run_trial(
            config,
            folder,
            Events(lambda phase: tell(phase=phase), on_progress, stop.is_set),
        )
    except StoppedError as stopped:
        tell(state="interrupted", error="")
        print(f"{stopped} The same command continues.", file=sys.stderr)
        return 128 + received[0]
    except Exception as error:
        tell(state="failed", error=f"{type(error).__name__}: {' '.join(str(error).split())}"[:400])
        raise
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    tell(state="done", step=config.train.num_steps, seconds_left=0.0, error="")
    print(f"mIoU {100 * result['metrics']['miou']:.2f} %  ({folder / 'result.json'})")
    return 0
