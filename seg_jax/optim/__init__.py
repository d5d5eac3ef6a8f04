"""Learning-rate schedules and optimisers by name."""

SCHEDULES = {
    "poly": "seg_jax.optim.schedules:poly",
    "constant": "seg_jax.optim.schedules:constant",
}

OPTIMIZERS = {
    "sgd": "seg_jax.optim.sgd:sgd",
}
