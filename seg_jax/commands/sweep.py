"""Runs every trial of an experiment that is not done yet, a few at a time, then reports.

The same command continues an interrupted sweep. Each trial is a process of its own.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from seg_jax.commands import options as shared
from seg_jax.config import from_dict

LAUNCH = Path(__file__).resolve().parents[2] / "launch.py"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    shared.add_config(parser)
    shared.add_workdir(parser, help="folder of the sweep; made if absent")
    parser.add_argument(
        "--jobs", type=int, help="trials at a time; default one a device, or on a CPU up to 4"
    )
    parser.add_argument(
        "--devices", default="", help="ids of the GPUs to use, such as 0,1; default all"
    )
    parser.add_argument("--timeout", type=float, help="seconds a trial may take; default no limit")
    parser.add_argument(
        "--attempts", type=int, default=2, help="starts of a trial before it counts as failed"
    )


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Runs the verb; 1 when a trial failed."""
    from seg_jax.cores import count_cores
    from seg_jax.sweeps.local import run_trials
    from seg_jax.sweeps.lock import workdir_lock
    from seg_jax.sweeps.progress import show_progress
    from seg_jax.sweeps.slots import make_slots
    from seg_jax.sweeps.store import store_plan
    from seg_jax.validate import validate

    experiment = shared.load(options.config, overrides)
    plan = shared.plan(experiment)
    for trial in plan.trials:
        validate(from_dict(trial.config))
    devices = [device for device in options.devices.split(",") if device] or _gpus()
    jobs = options.jobs or len(devices) or min(count_cores(), 4)
    slots = make_slots(jobs, platform="gpu" if devices else "cpu", devices=devices)
    with workdir_lock(options.workdir):
        plan = store_plan(options.workdir, plan)
        with show_progress(options.workdir, sys.stdout) as observer:
            outcomes = run_trials(
                plan.trials,
                options.workdir,
                command=_command,
                slots=slots,
                max_attempts=options.attempts,
                timeout_seconds=options.timeout,
                grace_seconds=30.0,
                observer=observer,
            )
    from seg_jax.commands import report

    failed = [(trial, status) for trial, status in outcomes if status.state != "done"]
    if len(failed) < len(outcomes):
        report.run(options, ())
    for trial, status in failed:
        log = options.workdir / trial.uid / "log.txt"
        print(f"Failed: {trial.title}: {status.error} (see {log})", file=sys.stderr)
    return 1 if failed else 0


def _command(folder: Path) -> list[str]:
    """Returns the command that runs the trial in `folder`, from its config.json alone."""
    config = folder / "config.json"
    return [sys.executable, str(LAUNCH), "train", f"--config={config}", f"--workdir={folder}"]


def _gpus() -> list[str]:
    """Returns the ids of the GPUs to use: CUDA_VISIBLE_DEVICES, or all that the driver shows.

    Looked up without jax, which would take their memory from the trials.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [device for device in visible.split(",") if device]
    drivers = Path("/proc/driver/nvidia/gpus")
    return [str(i) for i in range(len(list(drivers.iterdir())))] if drivers.is_dir() else []
