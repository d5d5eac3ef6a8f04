"""The rules of what training reads: loss, optimizer, schedule, train, log, parallel."""

import re
from typing import Any

from seg_jax.config import Config, ConfigError
from seg_jax.losses import LOSSES
from seg_jax.optim import OPTIMIZERS, SCHEDULES
from seg_jax.registry import unknown_name
from seg_jax.validate.rules import is_side, known, number, require, whole

BALANCES = ("median_frequency", "enet")
BACKENDS = ("pmap", "shard_map", "mesh")
REMATS = ("convs", "blocks")


def validate_train(config: Config) -> None:
    """Refuses what training could not run with, or would not do as stated."""
    _loss(config)
    _optimizer(config)
    _schedule(config)
    for field in ("num_steps", "batch_size", "log_every", "checkpoint_every"):
        whole(config, f"train.{field}", 1)
    whole(config, "train.keep_last", 2)
    whole(config, "train.keep_every", 0)
    whole(config, "train.keep_best", 0)
    number(config, "train.ema_decay", at_least=0.0, below=1.0)
    if config.train.remat:
        known(config, "train.remat", REMATS, "form of rematerialisation")
    if config.train.keep_best and not config.evaluate.every:
        raise ConfigError(
            f"config.train.keep_best={config.train.keep_best} keeps the steps of the highest mIoU, "
            "but nothing is evaluated during training. Set config.evaluate.every to a number of "
            "steps, or config.train.keep_best to 0."
        )
    _log(config)
    _parallel(config)


def _loss(config: Config) -> None:
    loss = config.loss
    if not loss.terms:
        raise ConfigError(
            "config.loss.terms is empty; name at least one loss, such as {'cross_entropy': {}}."
        )
    for name, term in loss.terms.items():
        if name not in LOSSES:
            raise unknown_name(name, LOSSES, kind="loss", field="config.loss.terms")
        weight: Any = term.get("weight", 1.0)
        if isinstance(weight, bool) or not isinstance(weight, int | float) or weight <= 0:
            raise ConfigError(
                f"config.loss.terms.{name}.weight={weight!r} is not a number above 0. Set it to "
                "one, or leave the loss out."
            )
    if loss.class_balance != "":
        known(config, "loss.class_balance", BALANCES, "class balance")
    if loss.class_balance and loss.class_weights:
        raise ConfigError(
            f"config.loss.class_balance={loss.class_balance!r} computes the weights that "
            "config.loss.class_weights states. Set only one of the two."
        )
    require(
        config,
        "loss.class_weights",
        lambda value: all(not isinstance(w, bool) and w >= 0 for w in value),
        "one weight of 0 or more for every class",
        "a tuple such as (0.5, 1.0), or () for equal weights",
    )
    number(config, "loss.border_weight", at_least=0.0)
    number(config, "loss.border_sigma", above=0.0)
    number(config, "loss.aux_weight", at_least=0.0)
    number(config, "loss.presence_weight", at_least=0.0)


def _optimizer(config: Config) -> None:
    known(config, "optimizer.name", OPTIMIZERS, "optimizer")
    for field in ("momentum", "beta1", "beta2", "rms_decay"):
        number(config, f"optimizer.{field}", at_least=0.0, below=1.0)
    number(config, "optimizer.epsilon", above=0.0)
    number(config, "optimizer.weight_decay", at_least=0.0)
    number(config, "optimizer.head_lr_multiplier", above=0.0)
    number(config, "optimizer.clip_norm", at_least=0.0)
    require(
        config,
        "optimizer.decayed",
        lambda value: isinstance(value, tuple) and all(map(_is_pattern, value)),
        "regular expressions for paths of parameters",
        'a tuple such as ("kernel$",)',
    )
    require(
        config,
        "optimizer.lr_multipliers",
        lambda value: all(
            len(pair) == 2
            and _is_pattern(pair[0])
            and isinstance(pair[1], int | float)
            and pair[1] >= 0
            for pair in value
        ),
        "pairs of a regular expression for paths of parameters and a factor of 0 or more",
        'a tuple such as (("bias$", 2.0),)',
    )

    if config.optimizer.nesterov and config.optimizer.name not in ("sgd", "lars"):
        raise ConfigError(
            f"config.optimizer.nesterov=True is a form of momentum, which "
            f"{config.optimizer.name!r} does not have. Set it to False, or config.optimizer.name "
            "to 'sgd' or 'lars'."
        )


def _is_pattern(value: Any) -> bool:
    try:
        re.compile(value)
    except re.error:
        return False
    return isinstance(value, str)


def _schedule(config: Config) -> None:
    known(config, "schedule.name", SCHEDULES, "schedule")
    number(config, "schedule.base_lr", above=0.0)
    number(config, "schedule.end_lr", at_least=0.0)
    number(config, "schedule.power", at_least=0.0)
    number(config, "schedule.factor", above=0.0)
    number(config, "schedule.peak", above=0.0, below=1.0)
    whole(config, "schedule.period", 1)
    whole(config, "schedule.warmup_steps", 0)
    require(
        config,
        "schedule.milestones",
        lambda value: all(map(is_side, value)) and list(value) == sorted(set(value)),
        "steps in ascending order",
        "a tuple such as (2000, 4000)",
    )
    schedule, num_steps = config.schedule, config.train.num_steps
    if schedule.name == "step" and not (schedule.milestones and schedule.milestones[0] < num_steps):
        raise ConfigError(
            f"config.schedule.name='step' lowers the rate at "
            f"config.schedule.milestones={schedule.milestones!r}, of which none is among the "
            f"{num_steps} steps of config.train.num_steps. Name one, or take 'constant'."
        )
    if schedule.name in ("poly", "cosine", "one_cycle") and schedule.end_lr > schedule.base_lr:
        raise ConfigError(
            f"config.schedule.end_lr={schedule.end_lr} is above "
            f"config.schedule.base_lr={schedule.base_lr}, from which {schedule.name!r} falls to "
            "it. Set it to a lower rate."
        )


def _log(config: Config) -> None:
    whole(config, "log.pictures_every", 0)
    require(
        config,
        "log.profile_steps",
        lambda value: (
            value == () or (len(value) == 2 and all(map(is_side, value)) and value[0] < value[1])
        ),
        "(first, last) step to profile, first before last",
        "a pair such as (10, 15), or () for none",
    )


def _parallel(config: Config) -> None:
    known(config, "parallel.backend", BACKENDS, "backend")
    whole(config, "parallel.height_shards", 1)
    whole(config, "parallel.device_batch_size", 0)
    if config.parallel.height_shards > 1 and config.parallel.backend != "mesh":
        raise ConfigError(
            f"config.parallel.height_shards={config.parallel.height_shards} splits images over "
            f"devices, which config.parallel.backend={config.parallel.backend!r} cannot. Set it "
            "to 'mesh', or config.parallel.height_shards to 1."
        )
