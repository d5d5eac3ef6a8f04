"""An optimiser of which a test states only what it is about."""

import pytest

from seg_jax.optim.build import make_optimizer
from seg_jax.optim.schedules import constant

PLAIN = {
    "momentum": 0.0,
    "nesterov": False,
    "beta1": 0.8,
    "beta2": 0.95,
    "rms_decay": 0.95,
    "epsilon": 1e-2,
    "weight_decay": 0.0,
    "decayed": (r"(^|/)kernel$",),
    "head_lr_multiplier": 1.0,
    "lr_multipliers": (),
    "clip_norm": 0.0,
}


@pytest.fixture
def optimizer():
    """Builds one from its name and the fields that are not plain; its learning rate is 1."""

    def build(name="sgd", schedule=None, **fields):
        return make_optimizer(name, schedule or constant(base_lr=1.0), **{**PLAIN, **fields})

    return build
