"""Every trial of every experiment is valid, distinct, and builds on shapes alone."""

from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from seg_jax.assemble import assemble
from seg_jax.commands.options import load, plan
from seg_jax.config import apply_overrides, from_dict
from seg_jax.validate import validate

FOLDER = Path(__file__).parents[2] / "experiments"
FILES = sorted(path for path in FOLDER.rglob("*.py") if not path.name.startswith("_"))


STAND_INS = {"weights.path": "somewhere", "train.batch_size": 8, "evaluate.batch_size": 8}
"""What the machine decides: a file, and batches that split over the devices of these tests."""


@pytest.mark.parametrize(
    "path", FILES, ids=lambda path: str(path.relative_to(FOLDER).with_suffix(""))
)
def test_every_trial_builds(path):
    trials = plan(load(str(path), [])).trials
    shapes = {}
    for trial in trials:
        config = apply_overrides(from_dict(trial.config), STAND_INS)
        validate(config)
        if trial.row in shapes:
            continue
        task = assemble(config)
        size = config.augment.crop_size
        image = jax.ShapeDtypeStruct((2, *size, 3), jnp.float32)
        outputs, variables = jax.eval_shape(
            lambda key, image, model=task.model: model.init_with_output(key, image, train=False),
            jax.random.key(0),
            image,
        )
        assert outputs.logits.shape == (2, *size, task.spec.num_classes)
        if config.weights.name:
            assert "backbone" in variables["params"]
        shapes[trial.row] = outputs
    assert shapes
