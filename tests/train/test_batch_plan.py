"""The batch of the config, or a refusal that says which batches there are."""

import pytest

from seg_jax.train.batch_plan import plan_batch

FIELD = "config.train.batch_size"


@pytest.mark.parametrize(
    ("batch_size", "devices", "height_shards", "device_batch_size", "expected"),
    [
        (16, 1, 1, 0, 1),
        (16, 4, 1, 0, 1),
        (16, 1, 1, 4, 4),
        (16, 4, 1, 4, 1),
        (16, 4, 1, 1, 4),
        (16, 8, 4, 2, 4),
        (2, 8, 4, 0, 1),
    ],
)
def test_shards_and_micro_batches_make_up_the_batch(
    batch_size, devices, height_shards, device_batch_size, expected
):
    micro_batches = plan_batch(
        batch_size,
        devices=devices,
        height_shards=height_shards,
        device_batch_size=device_batch_size,
        field=FIELD,
    )
    assert micro_batches == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 6, "devices": 4}, r"batch of 6 .* 4 devices.*multiple of 4 .*4 or 8"),
        ({"batch_size": 3, "devices": 4}, r"batch of 3 .* 4 devices.*\(for instance 4\)"),
        ({"batch_size": 0, "devices": 4}, r"batch of 0 .*\(for instance 4\)"),
        (
            {"batch_size": 3, "devices": 8, "height_shards": 4},
            r"over 2 groups of 4 devices.*2 or 4",
        ),
        (
            {"batch_size": 24, "devices": 4, "device_batch_size": 4},
            r"4 devices 6 images, which .*device_batch_size=4 .*Set it to 3 or 6",
        ),
        (
            {"batch_size": 8, "devices": 4, "device_batch_size": 5},
            r"device_batch_size=5 .*Set it to 2, or to 0",
        ),
        (
            {"batch_size": 8, "devices": 4, "device_batch_size": -1},
            r"device_batch_size=-1 .*Set it to 1, or to 0",
        ),
    ],
)
def test_what_does_not_come_out_even_is_refused_with_the_nearest_that_does(arguments, message):
    with pytest.raises(ValueError, match=message) as refused:
        plan_batch(**arguments, field=FIELD)
    assert FIELD in str(refused.value)
