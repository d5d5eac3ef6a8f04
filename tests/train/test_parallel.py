"""A step on n devices is the step on one device with the whole batch, whatever maps it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.labels import IGNORE_LABEL
from seg_jax.losses.cross_entropy import softmax_cross_entropy
from seg_jax.losses.presence import presence_cross_entropy
from seg_jax.optim.schedules import poly
from seg_jax.optim.sgd import sgd
from seg_jax.preprocess import IMAGENET
from seg_jax.train.parallel import (
    AXIS,
    check_batch_size,
    check_one_host,
    map_eval_step,
    map_train_step,
)
from seg_jax.train.state import create_state
from seg_jax.train.step import make_train_step


def batch():
    random = np.random.RandomState(0)
    label = random.randint(0, 4, (8, 12, 10)).astype(np.uint8)
    label[:2] = IGNORE_LABEL  # the first device has nothing to count, the second half as much
    label[2, :6] = IGNORE_LABEL
    return {
        "image": random.randint(0, 256, (8, 12, 10, 3)).astype(np.uint8),
        "label": label,
    }


def three_steps(toy, backend, devices):
    model = toy(axis=AXIS, aux=True)
    schedule = poly(base_lr=0.1, num_steps=10)
    tx = sgd(schedule, weight_decay=1e-3, head_lr_multiplier=2.0)
    variables = model.init(jax.random.key(0), jnp.zeros((1, 8, 8, 3)), train=False)
    step = make_train_step(
        model,
        tx,
        schedule,
        softmax_cross_entropy,
        presence_cross_entropy,
        IMAGENET,
        axis=AXIS,
        aux_weight=0.4,
        presence_weight=0.2,
        jitter=0.2,
        distortion=True,
    )
    mapped = map_train_step(step, backend=backend, devices=devices)
    state, losses = create_state(variables, tx, seed=3), []
    for _ in range(3):
        state, scalars = mapped(state, batch())
        losses.append(float(scalars["loss"]))
    return jax.device_get((state.params, state.batch_stats)), losses


@pytest.mark.parametrize("backend", ["pmap", "shard_map"])
def test_four_devices_take_the_steps_of_one(toy, backend):
    expected, expected_losses = three_steps(toy, "shard_map", jax.devices()[:1])
    actual, losses = three_steps(toy, backend, jax.devices())
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-5)
    assert losses[2] < losses[0]
    for path, leaf in jax.tree_util.tree_leaves_with_path(actual):
        reference = expected
        for key in path:
            reference = reference[getattr(key, "key", getattr(key, "idx", None))]
        np.testing.assert_allclose(leaf, reference, atol=2e-6, err_msg=jax.tree_util.keystr(path))


@pytest.mark.parametrize("backend", ["pmap", "shard_map"])
def test_eval_results_come_back_in_the_order_of_the_images(backend):
    def fn(offset, batch):
        return {"sum": jnp.sum(batch["image"], axis=(1, 2, 3)) + offset}

    images = np.arange(8 * 4, dtype=np.float32).reshape(8, 2, 2, 1)
    result = map_eval_step(fn, backend=backend)(jnp.float32(0.5), {"image": images})
    np.testing.assert_allclose(result["sum"], images.sum(axis=(1, 2, 3)) + 0.5)


def test_a_batch_that_does_not_split_is_refused_with_the_nearest_that_do():
    check_batch_size(8, field="config.train.batch_size")
    with pytest.raises(ValueError, match=r"batch of 6 .* 4 devices.*multiple of 4 .*4 or 8"):
        check_batch_size(6, field="config.train.batch_size")


def test_several_processes_are_refused_since_each_would_feed_the_whole_batch(monkeypatch):
    check_one_host()
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    with pytest.raises(ValueError, match="one host, and JAX runs in 2 processes"):
        check_one_host()


@pytest.mark.parametrize("backend", ["pmap", "shard_map"])
def test_steps_from_host_and_from_device_share_one_program(backend):
    def fn(state, batch):
        return {"w": state["w"] + jax.lax.psum(jnp.sum(batch), AXIS)}, {"s": jnp.sum(state["w"])}

    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda name, *_, **__: compiled.append(name) if name.endswith("compile_duration") else None
    )
    step = map_train_step(fn, backend=backend)
    state, _ = step({"w": np.ones(3, np.float32)}, np.ones((4, 2), np.float32))
    before = len(compiled)
    for _ in range(2):
        state, _ = step(state, np.ones((4, 2), np.float32))
    assert before > 0
    assert len(compiled) == before
