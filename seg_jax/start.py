"""What a trial starts from: random weights, a published backbone, or a trained network."""

import dataclasses
from pathlib import Path
from typing import Any

from absl import logging

from seg_jax.assemble import Task, assemble
from seg_jax.checkpoints import Checkpointer
from seg_jax.config import Config, ConfigError, from_dict
from seg_jax.files import read_json
from seg_jax.initialise import initialise
from seg_jax.preprocess import Preprocessing
from seg_jax.sweeps.lock import workdir_lock
from seg_jax.train.state import TrainState, create_state
from seg_jax.weights import TRAINED, load_weights
from seg_jax.weights.native import is_native, read_network
from seg_jax.weights.transfer import transfer


def initial_state(task: Task) -> tuple[Task, TrainState]:
    """Returns the state before step 0, and the task with the weights' own preprocessing.

    Raises:
        ConfigError: `config.weights.path` holds no trained network.
        WeightsError: the weights do not fit the network.
    """
    config = task.config
    variables = initialise(task.model, (1, *config.augment.crop_size, 3), config.seed)
    preprocessing = task.preprocessing
    if config.weights.name == TRAINED:
        trained, preprocessing = _trained(Path(config.weights.path))
        variables, fresh = transfer(variables, trained)
        if fresh:
            logging.info("Not in %s, so random: %s.", config.weights.path, ", ".join(fresh))
    elif config.weights.name:
        variables, preprocessing = load_weights(config.weights.name, config.weights.path, variables)
    task = dataclasses.replace(task, preprocessing=preprocessing)
    return task, create_state(variables, task.tx, seed=config.seed, ema=config.train.ema_decay > 0)


def restore(config: Config, workdir: Path, *, step: int | None = None) -> tuple[Task, TrainState]:
    """Returns a checkpoint in `workdir`, of the network that `config` describes.

    Args:
        config: of the trial.
        workdir: its folder.
        step: of the checkpoint; the newest by default.

    Raises:
        ConfigError: there is no checkpoint.
        CheckpointError: it is of another network.
    """
    # The checkpoint replaces what the trial started from, of which the preprocessing stays.
    task, state = initial_state(assemble(config))
    with Checkpointer(workdir / "checkpoints") as checkpointer:
        restored = checkpointer.restore(state, step)
    if restored is None:
        raise ConfigError(
            f"{workdir} holds no checkpoint. Train it first with `python launch.py train`."
        )
    return task, restored


def _trained(path: Path) -> tuple[dict[str, Any], Preprocessing]:
    """Returns the variables and the preprocessing of a trial's folder or an imported file."""
    if is_native(path):
        network = read_network(path)
        return dict(network.variables), network.preprocessing
    if not (path / "config.json").is_file():
        raise ConfigError(
            f"config.weights.path={str(path)!r} is neither the folder of a trial, such as "
            f"runs/quickstart/<uid>, nor a file of `python launch.py import`."
        )
    # A trial that is still being trained is not to be touched.
    with workdir_lock(path):
        task, state = restore(from_dict(read_json(path / "config.json")), path)
    return state.variables, task.preprocessing
