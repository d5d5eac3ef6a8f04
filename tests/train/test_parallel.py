"""A step on n devices is the step on one device with the whole batch, whatever maps it."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seg_jax.labels import IGNORE_LABEL
from seg_jax.losses.objective import make_objective
from seg_jax.preprocess import IMAGENET
from seg_jax.train.parallel import axis_of, make_layout
from seg_jax.train.state import create_state
from seg_jax.train.step import make_train_step

LAYOUTS = {
    "pmap": {"backend": "pmap"},
    "shard_map": {"backend": "shard_map"},
    "mesh": {"backend": "mesh", "height_shards": 2},
}
"""Four devices each."""


@pytest.fixture(params=LAYOUTS)
def layout(request):
    return make_layout(**LAYOUTS[request.param])


def batch():
    random = np.random.RandomState(0)
    label = random.randint(0, 4, (8, 64, 4)).astype(np.uint8)
    label[:2] = IGNORE_LABEL  # the first device has nothing to count, the second half as much
    label[2, :32] = IGNORE_LABEL
    return {
        "image": random.randint(0, 256, (8, 64, 4, 3)).astype(np.uint8),
        "label": label,
    }


def three_steps(toy, layout, micro_batches):
    """Returns what is left and the losses; nothing is transferred but on demand."""
    model = toy(axis=layout.axis, aux=True)
    schedule = optax.polynomial_schedule(0.1, 0.0, 0.9, 10)
    tx = optax.sgd(schedule, momentum=0.9)
    variables = model.init(jax.random.key(0), jnp.zeros((1, 8, 8, 3)), train=False)
    step = make_train_step(
        model,
        tx,
        schedule,
        make_objective(
            {"cross_entropy": {}, "dice": {"weight": 0.5}},
            num_classes=4,
            aux_weight=0.4,
            presence_weight=0.2,
        ),
        IMAGENET,
        axis=layout.axis,
        micro_batches=micro_batches,
        ema_decay=0.5,
        jitter=0.2,
        distortion=micro_batches == 1,
    )
    mapped = layout.map_train_step(step)
    state, losses = create_state(variables, tx, seed=3, ema=True), []
    state = layout.put_state(state)
    with jax.transfer_guard("disallow"):
        for _ in range(3):
            old = state
            state, scalars = mapped(state, layout.put_batch(batch()))
            losses.append(float(jax.device_get(scalars["loss"])))
            assert all(leaf.is_deleted() for leaf in jax.tree.leaves(old))
    assert all(leaf.sharding.is_fully_replicated for leaf in jax.tree.leaves(state))
    return jax.device_get((state.params, state.batch_stats, state.ema)), losses


@pytest.mark.parametrize(
    ("name", "micro_batches"),
    [("pmap", 1), ("shard_map", 1), ("mesh", 1), ("shard_map", 2), ("mesh", 2)],
)
def test_four_devices_take_the_steps_of_one(toy, name, micro_batches, one_device):
    expected, expected_losses = one_device(toy, micro_batches)
    actual, losses = three_steps(toy, make_layout(**LAYOUTS[name]), micro_batches)
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-5)
    assert losses[2] < losses[0]
    for path, leaf in jax.tree_util.tree_leaves_with_path(actual):
        reference = expected
        for key in path:
            reference = reference[getattr(key, "key", getattr(key, "idx", None))]
        np.testing.assert_allclose(leaf, reference, atol=2e-6, err_msg=jax.tree_util.keystr(path))


@pytest.fixture(scope="module")
def one_device():
    """Takes the steps of one device, once for every number of micro-batches."""
    taken = {}

    def take(toy, micro_batches):
        if micro_batches not in taken:
            alone = make_layout("shard_map", devices=jax.devices()[:1])
            taken[micro_batches] = three_steps(toy, alone, micro_batches)
        return taken[micro_batches]

    return take


def test_eval_results_come_back_in_the_order_of_the_images(layout):
    def fn(offset, batch):
        total = jnp.sum(batch["image"], axis=(1, 2, 3)) + offset
        return {"sum": total, "map": 2.0 * batch["image"]}

    images = np.arange(8 * 8, dtype=np.float32).reshape(8, 4, 2, 1)
    mapped = layout.map_eval_step(fn)
    offset = layout.put_state(np.float32(0.5))
    with jax.transfer_guard("disallow"):
        result = mapped(offset, {"image": images})
        again = mapped(offset, {"image": result["map"]})
        rows = layout.get_rows((result, again))
    np.testing.assert_allclose(rows[0]["sum"], images.sum(axis=(1, 2, 3)) + 0.5)
    np.testing.assert_allclose(rows[1]["map"], 4 * images)


def test_maps_are_spread_over_the_height_where_every_stride_divides():
    layout = make_layout("mesh", height_shards=4)
    mapped = layout.map_eval_step(lambda _, batch: {**batch, "mean": batch["image"].mean((1, 2))})
    for height, rows in ((128, 32), (64, 64)):
        placed = layout.put_batch({"image": np.ones((2, height, 2), np.float32)})
        result = mapped({}, placed)
        for image in (placed["image"], result["image"]):
            (shape,) = {shard.data.shape for shard in image.addressable_shards}
            assert shape == (2, rows, 2)
        np.testing.assert_array_equal(layout.get_rows(result["mean"]), np.ones(2))


def test_a_height_that_devices_cannot_share_is_refused_with_the_nearest_they_can():
    layout = make_layout("mesh", height_shards=4)
    layout.check_height(256, field="config.augment.crop_size")
    with pytest.raises(ValueError, match=r"513 rows .* 4 devices.*crop_size to 512 or 640"):
        layout.check_height(513, field="config.augment.crop_size")
    make_layout("shard_map").check_height(513, field="config.augment.crop_size")


def test_a_state_that_is_put_in_place_is_a_copy(layout):
    mapped = layout.map_train_step(lambda state, batch: (state + 1.0, {"sum": jnp.sum(state)}))
    first = jnp.arange(4.0)
    state, _ = mapped(first, {"image": np.zeros((8, 4, 2), np.float32)})
    np.testing.assert_array_equal(first, np.arange(4))
    np.testing.assert_array_equal(state, np.arange(4) + 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backend": "shard_map", "height_shards": 2}, "'shard_map' cannot split .*'mesh'"),
        ({"backend": "mesh", "height_shards": 3}, r"=3 does not divide the 4 .*\[1, 2, 4\]"),
        ({"backend": "mesh", "height_shards": 8}, r"=8 does not divide the 4 .*\[1, 2, 4\]"),
    ],
)
def test_what_the_devices_cannot_be_arranged_for_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_layout(**arguments)


def test_the_compiler_needs_no_axis_and_the_mapped_backends_do():
    assert [axis_of(name) for name in LAYOUTS] == ["device", "device", None]


@pytest.mark.parametrize("backend", LAYOUTS)
@pytest.mark.parametrize("count", [1, 4])
def test_steps_from_host_and_from_device_share_one_program(backend, count):
    traced = []

    def fn(state, batch):
        traced.append(1)
        return {"w": state["w"] + 1.0}, {"s": jnp.sum(state["w"])}

    layout = make_layout(backend, devices=jax.devices()[:count])
    step = layout.map_train_step(fn)
    state, _ = step({"w": jnp.ones(3)}, np.ones((4, 2), np.float32))
    before = len(traced)
    for _ in range(2):
        state, _ = step(state, np.ones((4, 2), np.float32))
    assert before > 0
    assert len(traced) == before
