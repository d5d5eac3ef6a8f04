"""How a sweep was run: state of its trials, machine, versions, and the commands to repeat it."""

import collections
from collections.abc import Iterable
from typing import Any

from seg_jax.report.records import Sweep

_LEADING = ("python", "jax", "jaxlib", "flax", "optax", "grain", "numpy")


def progress(sweep: Sweep) -> str:
    """Counts trials by what became of them, such as "9 of 10 trials done, 1 failed"."""
    states = collections.Counter(trial.state for trial in sweep.trials)
    done, total = states.pop("done", 0), len(sweep.trials)
    others = [f"{count} {state}" for state, count in states.items()]
    return ", ".join([f"{done} of {total} trial{'s' * (total != 1)} done", *others])


def run_facts(sweep: Sweep) -> list[tuple[str, str]]:
    """Lists (what, value) pairs; several values mean that the trials differ in it."""
    facts = [
        ("Experiment", sweep.experiment),
        ("Trials", progress(sweep)),
        ("Last change", _moment(max(trial.updated for trial in sweep.trials))),
        ("Images evaluated", _distinct(r.get("num_eval_images") for r in sweep.results)),
        ("Hardware", _distinct(_hardware(r.get("hardware", {})) for r in sweep.results)),
        ("Versions", _distinct(_versions(r.get("versions", {})) for r in sweep.results)),
        ("Commit", _distinct(r.get("commit") for r in sweep.results)),
    ]
    return [(name, value) for name, value in facts if value]


def mixed_hardware(sweep: Sweep) -> bool:
    """Tells whether trials ran on different machines, so that their speeds do not compare."""
    return len({_hardware(result.get("hardware", {})) for result in sweep.results}) > 1


def commands(sweep: Sweep) -> list[tuple[str, str]]:
    """Lists (what it does, command) pairs that repeat the sweep, a trial, and this page."""
    workdir = f"runs/{sweep.workdir.name}"
    uid = sweep.trials[0].uid
    return [
        (
            "The whole sweep; what is done is skipped, what was interrupted is resumed",
            f"python launch.py sweep --config=experiments/{sweep.experiment}.py "
            f"--workdir={workdir}",
        ),
        (
            "One trial, from its resolved config alone",
            f"python launch.py train --config={workdir}/{uid}/config.json --workdir=runs/{uid}",
        ),
        ("This report", f"python launch.py report --workdir={workdir}"),
    ]


def _moment(stamp: str) -> str:
    """Shortens ISO 8601 in UTC, as status.json has it, to the minute."""
    return f"{stamp[:16].replace('T', ' ')} UTC" if stamp else ""


def _hardware(hardware: dict[str, Any]) -> str:
    count, cpus = hardware.get("num_devices"), hardware.get("num_cpus")
    device = f"{hardware.get('device', '')} ({hardware.get('backend', '')})"
    parts = [f"{count} × {device}" if count else "", f"{cpus} CPU cores" if cpus else ""]  # noqa: RUF001
    return ", ".join(part for part in parts if part)


def _versions(versions: dict[str, Any]) -> str:
    named = sorted(versions, key=lambda n: (_LEADING.index(n) if n in _LEADING else 99, n))
    return ", ".join(f"{name} {versions[name]}" for name in named)


def _distinct(values: Iterable[object]) -> str:
    return "; ".join(dict.fromkeys(str(value) for value in values if value))
