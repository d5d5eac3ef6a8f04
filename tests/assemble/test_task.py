"""What the devices at hand cannot do as the config says is refused before anything is built."""

import pytest

from seg_jax.assemble import assemble
from seg_jax.config import apply_overrides, base_config

MESH = {
    "parallel.backend": "mesh",
    "parallel.height_shards": 2,
    "augment.crop_size": (64, 64),
    "model": {"name": "unet", "base_features": 4, "depth": 1},
}


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"augment.crop_size": (65, 64)}, r"Images of 65 rows .* config\.augment\.crop_size"),
        ({"train.batch_size": 3}, r"batch of 3 .* 2 groups .* config\.train\.batch_size"),
        ({"evaluate.batch_size": 3}, r"config\.evaluate\.batch_size"),
        ({"parallel.device_batch_size": 3}, r"device_batch_size=3 does not divide"),
        (
            {"model.norm": {"name": "batch_per_device"}},
            r"'batch_per_device' needs a step for every",
        ),
    ],
)
def test_what_the_devices_cannot_do_is_refused(overrides, sentence):
    config = apply_overrides(base_config(), MESH)
    assert assemble(config).layout.height_shards == 2
    with pytest.raises(ValueError, match=sentence):
        assemble(apply_overrides(config, overrides))


def test_micro_batches_make_up_the_batch():
    config = apply_overrides(base_config(), {**MESH, "parallel.device_batch_size": 2})
    assert assemble(config).micro_batches == 2
