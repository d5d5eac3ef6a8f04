"""Trains and evaluates one trial, from its newest checkpoint on.

Killed at any moment, the same command continues to the same result, bit for bit. On several hosts
the same command runs on each, with the options that say which it is.
"""

import argparse
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seg_jax.commands import options as shared
from seg_jax.config import to_dict

if TYPE_CHECKING:
    from seg_jax.commands.train_view import View


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    shared.add_config(parser)
    shared.add_workdir(parser, help="folder of the trial, seen by all hosts; made if absent")
    hosts = parser.add_argument_group("several hosts")
    hosts.add_argument(
        "--distributed", action="store_true", help="on a cluster that JAX knows, such as Slurm"
    )
    hosts.add_argument("--coordinator", help="HOST:PORT of process 0, where JAX knows no cluster")
    hosts.add_argument("--num_processes", type=int, help="how many there are")
    hosts.add_argument("--process_id", type=int, help="which of them this is, from 0")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Runs the verb; 143 when SIGTERM stopped it, 130 on Ctrl-C, with the state saved."""
    from seg_jax.sweeps.lock import workdir_lock
    from seg_jax.sweeps.status import is_done
    from seg_jax.validate import validate

    config = shared.load(options.config, overrides).config
    validate(config)
    main = _join_hosts(options, config)
    with workdir_lock(options.workdir) if main else contextlib.nullcontext():
        if main:
            shared.keep_config(options.workdir, config)
        if _on_any_host(main and is_done(options.workdir)):
            print(
                f"{options.workdir} is done; see its result.json. Use another --workdir to "
                "train again."
            )
            return 0
        return _train(options, config, main=main)


def _join_hosts(options: argparse.Namespace, config) -> bool:
    """Meets the other processes, if there are any; tells whether this one writes the files."""
    if not options.distributed and options.coordinator is None and options.process_id is None:
        return True
    from seg_jax.train import hosts

    hosts.initialise(
        options.coordinator, num_processes=options.num_processes, process_id=options.process_id
    )
    hosts.check_same(json.dumps(to_dict(config), sort_keys=True), what="--config")
    return hosts.is_main()


def _on_any_host(flag: bool) -> bool:
    from seg_jax.train import hosts

    return hosts.any_host(flag)


def _train(options: argparse.Namespace, config, *, main: bool) -> int:
    from seg_jax import compilation_cache
    from seg_jax.commands.train_view import show_training
    from seg_jax.train.progress import StoppedError

    # What is worth a line, such as where a trace was written.
    logging.getLogger("seg_jax").setLevel(logging.INFO)
    compilation_cache.enable()
    watched = _Watched(options.workdir if main else None, config.train.num_steps)
    with watched.signals(), Path(os.devnull).open("w") as nowhere:
        try:
            shown = sys.stdout if main else nowhere
            with show_training(shown, config.train.num_steps) as view:
                result = _run(options.workdir, config, watched, view)
        except StoppedError as stopped:
            watched.tell(state="interrupted", error="")
            print(f"{stopped} The same command continues.", file=sys.stderr)
            # Another host may have been the one that was asked.
            return 128 + (watched.received or [signal.SIGTERM])[0]
        except Exception as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"[:400]
            watched.tell(state="failed", error=reason)
            raise
    watched.tell(state="done", step=config.train.num_steps, seconds_left=0.0, error="")
    if not main:
        return 0
    miou = result["metrics"]["miou"]
    print(f"mIoU {100 * miou:.2f} %  ({options.workdir / 'result.json'})")
    return 0


def _run(folder: Path, config, watched: "_Watched", view: "View") -> dict[str, Any]:
    from seg_jax.train.progress import Progress
    from seg_jax.trial import Events, run_trial

    def on_phase(name: str) -> None:
        watched.tell(phase=name)
        view.phase(name)

    def on_progress(progress: Progress) -> None:
        watched.tell(
            phase="training",
            step=progress.step,
            loss=progress.loss,
            images_per_second=progress.images_per_second,
            seconds_left=progress.seconds_left,
        )
        view.progress(progress)

    watched.on_stop = view.stopping
    events = Events(
        phase=on_phase,
        progress=on_progress,
        evaluated=view.evaluated,
        stop_requested=lambda: bool(watched.received),
    )
    return run_trial(config, folder, events)


class _Watched:
    """The trial's `status.json`, and the signals that ask it to stop."""

    def __init__(self, folder: Path | None, num_steps: int):
        self.received: list[int] = []
        self.on_stop: Callable[[], None] = lambda: None
        self._folder = folder
        self._status: dict[str, Any] = {"state": "running", "num_steps": num_steps}

    def tell(self, **changes: Any) -> None:
        """Writes the status with these fields changed."""
        from seg_jax.sweeps.status import Status, write_status

        self._status.update(changes)
        if self._folder:
            write_status(self._folder, Status(**self._status))

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Takes SIGINT and SIGTERM: the first asks to stop, the second stops at once."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        previous = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _) -> None:
        import jax

        from seg_jax.train.progress import StoppedError

        asked_before = bool(self.received)
        self.received.append(number)
        self.on_stop()
        # An evaluation is made again by the same command: its state is saved before it begins.
        # Not where other processes would wait for this one's share of it.
        evaluating = self._status.get("phase") == "evaluating" and jax.process_count() == 1
        if asked_before or evaluating:
            raise StoppedError("Stopped; what is saved is kept.")
