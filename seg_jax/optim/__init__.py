"""Learning-rate schedules and optimisers by name."""

SCHEDULES = {
    "poly": "seg_jax.optim.schedules:poly",
    "constant": "seg_jax.optim.schedules:constant",
    "step": "seg_jax.optim.schedules:step",
    "exponential": "seg_jax.optim.schedules:exponential",
    "cosine": "seg_jax.optim.schedules:cosine",
    "one_cycle": "seg_jax.optim.schedules:one_cycle",
}
"""Name -> factory of a schedule; its arguments are the fields of config.schedule that it reads,
and `num_steps`."""

OPTIMIZERS = {
    "sgd": "seg_jax.optim.sgd:sgd",
    "adam": "seg_jax.optim.adam:adam",
    "adamw": "seg_jax.optim.adam:adamw",
    "rmsprop": "seg_jax.optim.rmsprop:rmsprop",
    "lars": "seg_jax.optim.layerwise:lars",
    "lamb": "seg_jax.optim.layerwise:lamb",
}
"""Name -> factory of an update rule, to which `build.make_optimizer` adds what all have in common;
its keyword arguments are the fields of config.optimizer that it reads."""
