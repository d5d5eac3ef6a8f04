"""Trials that need no jax, and the means to watch processes."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seg_jax.sweeps.plan import Trial, config_uid

HERE = Path(__file__).parent


@pytest.fixture
def command() -> Callable[[Path], list[str]]:
    """The command line of a dummy trial."""
    return lambda folder: [sys.executable, "-S", str(HERE / "dummy_trial.py"), str(folder)]


@pytest.fixture
def make_trial() -> Callable[..., Trial]:
    """Makes a trial from the fields of its config."""

    def make(label: str, **config) -> Trial:
        config = {"label": label, "seed": 0, **config}
        return Trial(config_uid(config), label, {}, config)

    return make


@pytest.fixture
def is_alive() -> Callable[[int], bool]:
    """Tells whether a process exists and is no zombie."""

    def alive(pid: int) -> bool:
        try:
            status = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return status.rpartition(")")[2].split()[0] not in ("Z", "X")

    return alive
