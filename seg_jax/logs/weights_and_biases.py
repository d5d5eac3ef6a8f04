"""Rows and pictures for Weights & Biases, which is no dependency: who wants it installs it."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seg_jax.logs.writer import Picture

_logger = logging.getLogger(__name__)

_OLDEST = (0, 30)
"""The first version that can be asked for an account without asking a person for one."""


class WandbMissingError(RuntimeError):
    """Weights & Biases is asked for and not there; the message says what to do."""


class WandbWriter:
    """Writes a run that a resumed trial continues.

    Steps that a killed process has sent already are not taken a second time by Weights & Biases;
    a resumed trial computes them to the same bits.
    """

    def __init__(
        self, folder: Path, *, project: str, run_id: str, name: str, config: Mapping[str, Any]
    ):
        """Begins or continues the run.

        Without an account on this machine, or where the service is not reached, the run is
        kept in `folder`, for `wandb sync`. WANDB_MODE decides instead where it is set.

        Args:
            folder: Weights & Biases keeps its files in a folder in it.
            project: the project on Weights & Biases.
            run_id: of the run; the same for every process of the trial.
            name: shown for the run.
            config: shown with it.

        Raises:
            WandbMissingError: the package is not installed, or too old.
        """
        wandb = _import(project)
        self._image = wandb.Image

        def begin(mode: str) -> Any:
            return wandb.init(
                project=project,
                id=run_id,
                name=name,
                config=dict(config),
                dir=str(folder),
                resume="allow",
                mode=mode,
            )

        try:
            mode = os.environ.get("WANDB_MODE")
            if not mode:
                # Asks nobody for an account: a trial may run where nobody is.
                mode = "online" if wandb.login(prompt=False) else "offline"
            self._run = begin(mode)
        except wandb.Error as error:
            reason = " ".join(str(error).split())[:200]
            _logger.warning(
                "Weights & Biases is not reached (%s); the run is kept in %s. Send it later with "
                "`wandb sync`.",
                reason,
                folder / "wandb",
            )
            self._run = begin("offline")

    def write(self, step: int, row: Mapping[str, float]) -> None:
        """Adds the numbers of a row under their names."""
        self._run.log(dict(row), step=step)

    def draw(self, step: int, pictures: Mapping[str, Picture]) -> None:
        """Adds pictures under their names."""
        self._run.log({name: self._image(one) for name, one in pictures.items()}, step=step)

    def close(self) -> None:
        """Sends what is left."""
        self._run.finish()


def _import(project: str) -> Any:
    try:
        import wandb  # pyright: ignore[reportMissingImports]
    except ImportError:
        found = "is not installed"
    else:
        if tuple(map(int, wandb.__version__.split(".")[:2])) >= _OLDEST:
            return wandb
        found = f"is of version {wandb.__version__}"
    raise WandbMissingError(
        f"config.log.wandb_project={project!r} needs the package wandb, which {found}. Run `pip "
        f"install 'wandb>={_OLDEST[0]}.{_OLDEST[1]}'`, or set config.log.wandb_project to ''."
    )
