"""A trial starts from a trained one, stage by stage, and from an imported network."""

import jax
import numpy as np
import pytest

from seg_jax.assemble import assemble
from seg_jax.checkpoints import Checkpointer
from seg_jax.config import ConfigError, apply_overrides, base_config, to_dict
from seg_jax.files import write_json
from seg_jax.start import initial_state, restore
from seg_jax.sweeps.lock import workdir_lock
from seg_jax.validate import validate


def config_of(name, **overrides):
    model = {
        "name": name,
        "fc_features": 4,
        "fixed_crops": True,
        "backbone": {"name": "vgg16", "width": 0.04},
    }
    config = apply_overrides(
        base_config(), {"model": model, "augment.crop_size": (64, 64), **overrides}
    )
    validate(config)
    return config


@pytest.fixture
def trained(tmp_path):
    """Returns the folder of a trained FCN-32s, and its parameters."""
    folder, config = tmp_path / "fcn32s", config_of("fcn32s", seed=1)
    _, state = initial_state(assemble(config))
    folder.mkdir()
    write_json(folder / "config.json", to_dict(config))
    with Checkpointer(folder / "checkpoints") as checkpointer:
        checkpointer.save(7, state)
    return folder, state.params


def test_a_finer_fcn_starts_from_a_trained_coarser_one(trained):
    folder, params = trained
    config = config_of("fcn16s", **{"weights.name": "trained", "weights.path": str(folder)})
    _, state = initial_state(assemble(config))
    assert int(state.step) == 0
    for name in ("fc6", "fc7", "score_fr"):
        jax.tree.map(
            np.testing.assert_array_equal, state.params["head"][name], params["head"][name]
        )
    jax.tree.map(np.testing.assert_array_equal, state.params["backbone"], params["backbone"])
    assert not np.any(state.params["head"]["score_pool4"]["kernel"])


def test_a_trial_that_is_still_trained_is_left_alone(trained):
    folder, _ = trained
    config = config_of("fcn16s", **{"weights.name": "trained", "weights.path": str(folder)})
    with workdir_lock(folder), pytest.raises(RuntimeError, match="fcn32s"):
        initial_state(assemble(config))


def test_a_path_that_holds_no_network_is_refused(tmp_path):
    config = config_of("fcn16s", **{"weights.name": "trained", "weights.path": str(tmp_path)})
    with pytest.raises(ConfigError, match=r"config\.weights\.path=.* is neither the folder of a t"):
        initial_state(assemble(config))


def test_there_must_be_a_checkpoint_to_restore(tmp_path):
    with pytest.raises(ConfigError, match="holds no checkpoint"):
        restore(config_of("fcn32s"), tmp_path)


def test_trained_weights_need_a_path():
    with pytest.raises(ConfigError, match=r"config\.weights\.path"):
        config_of("fcn16s", **{"weights.name": "trained"})
