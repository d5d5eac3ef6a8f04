"""Ten updates against PyTorch 2.13 and timm 1.0.31; groups, freezing, clipping, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seg_jax.checkpoints import Checkpointer
from seg_jax.optim import OPTIMIZERS
from seg_jax.optim.schedules import constant, poly

START = {"kernel": jnp.array([[1.0, -2.0], [0.5, 3.0]]), "bias": jnp.array([0.25, -0.75])}

GOLDEN = {  # computed in float64: kernel decayed by 0.1, bias at twice the rate, see `_run`
    "sgd": (
        {},
        [0.9404367, -1.9101758, 0.4510627, 2.8314834, 0.1871521, -0.7122575],
    ),
    "sgd, heavy": (
        {"momentum": 0.99},
        [0.7688209, -1.6795058, 0.2676721, 2.3267692, -0.088301, -0.5997178],
    ),
    "sgd, Nesterov": (
        {"momentum": 0.9, "nesterov": True},
        [0.7755062, -1.6722143, 0.2941417, 2.3512545, -0.031972, -0.6012136],
    ),
    "sgd, clipped": (
        {"momentum": 0.9, "clip_norm": 0.5},
        [0.8762983, -1.7944674, 0.4079348, 2.6400033, 0.1812829, -0.714984],
    ),
    "adam": ({}, [0.8235246, -1.936017, 0.4192802, 2.763983, 0.1029256, -0.7665228]),
    "adamw": ({}, [0.8420463, -1.9380625, 0.4171009, 2.7367947, 0.1029256, -0.7665228]),
    "rmsprop": ({}, [0.6011191, -1.8619985, 0.3352714, 2.4332374, 0.0392463, -0.861131]),
    "rmsprop, with momentum": (
        {"momentum": 0.9},
        [-0.3636608, -1.6820147, -0.1347137, 1.0347747, -0.5926257, -1.2277989],
    ),
    "lamb": ({}, [0.6079761, -1.7510606, 0.3187054, 2.2976061, 0.1029256, -0.7665228]),
}


def _gradients(count, params):
    """Of no loss: deterministic, changing their sign, and depending on the parameters."""
    i, j = np.arange(4, dtype=np.float32).reshape(2, 2), np.arange(2, dtype=np.float32)
    return {
        "kernel": jnp.asarray(np.sin(3.0 * count + i)) + 0.1 * params["kernel"],
        "bias": jnp.asarray(np.cos(2.0 * count + j)) + 0.1 * params["bias"],
    }


def _run(tx, num_steps=10):
    params, state = START, tx.init(START)
    for count in range(num_steps):
        updates, state = tx.update(_gradients(count, params), state, params)
        params = optax.apply_updates(params, updates)
    return np.concatenate([np.ravel(params["kernel"]), params["bias"]])


@pytest.mark.parametrize("case", GOLDEN)
def test_ten_updates_equal_those_of_torch(optimizer, case):
    fields, expected = GOLDEN[case]
    tx = optimizer(
        case.partition(",")[0],
        poly(base_lr=0.05, num_steps=10, power=0.9),
        weight_decay=0.1,
        lr_multipliers=(("bias$", 2.0),),
        **fields,
    )
    np.testing.assert_allclose(_run(tx), expected, atol=3e-6)


def test_lars_without_decay_equals_that_of_timm(optimizer):
    tx = optimizer("lars", constant(base_lr=0.5), momentum=0.9)
    expected = [0.992358, -1.9932699, 0.4943832, 2.9846225, -0.4662664, 0.1759241]
    np.testing.assert_allclose(_run(tx), expected, atol=3e-6)


@pytest.mark.parametrize("nesterov", [False, True])
def test_lars_equals_the_rule_written_out(optimizer, nesterov):
    schedule = poly(base_lr=2.0, num_steps=10, power=0.9)
    tx = optimizer("lars", schedule, momentum=0.9, nesterov=nesterov, weight_decay=0.1)
    params = {name: np.array(value, np.float64) for name, value in START.items()}
    velocity = {"kernel": 0.0, "bias": 0.0}
    for count in range(10):
        rate = 2.0 * (1 - count / 10) ** 0.9
        gradients = {k: np.array(g) for k, g in _gradients(count, params).items()}
        penalised = gradients["kernel"] + 0.1 * params["kernel"]
        norms = [np.sqrt(np.sum(x**2)) for x in (params["kernel"], penalised)]
        gradients["kernel"] = 0.001 * norms[0] / (norms[1] + 1e-2) * penalised
        for name, gradient in gradients.items():
            velocity[name] = 0.9 * velocity[name] + rate * gradient
            ahead = 0.9 * velocity[name] + rate * gradient
            params[name] = params[name] - (ahead if nesterov else velocity[name])
    expected = np.concatenate([np.ravel(params["kernel"]), params["bias"]])
    np.testing.assert_allclose(_run(tx), expected, rtol=1e-5)


NETWORK = {
    "backbone": {"conv": {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}},
    "backbone2": {"bias": jnp.ones(2)},
    "classifier": {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)},
}
ONES = jax.tree.map(jnp.ones_like, NETWORK)


def _steps(tx, params=NETWORK, gradients=ONES, num_steps=1):
    """Returns how far one entry of each parameter is after updates with constant gradients."""
    state, moved = tx.init(params), params
    for _ in range(num_steps):
        updates, state = tx.update(gradients, state, moved)
        moved = optax.apply_updates(moved, updates)
    change = jax.tree.map(lambda old, new: float((old - new).ravel()[0]), params, moved)
    return {
        "/".join(key.key for key in keys): pytest.approx(value, rel=1e-5)
        for keys, value in jax.tree_util.tree_leaves_with_path(change)
    }


def test_factors_of_all_matching_patterns_multiply(optimizer):
    # DeepLab v2's Caffe files: weights x1 and x10, biases x2 and x20.
    tx = optimizer(head_lr_multiplier=10.0, lr_multipliers=(("bias$", 2.0), ("^backbone/", 1.0)))
    assert _steps(tx) == {
        "backbone/conv/kernel": 1.0,
        "backbone/conv/bias": 2.0,
        "backbone2/bias": 20.0,
        "classifier/kernel": 10.0,
        "classifier/bias": 20.0,
    }


def test_a_network_without_a_backbone_has_no_head(optimizer):
    tx = optimizer(head_lr_multiplier=10.0)
    params = {"stage1": {"kernel": jnp.ones((2, 2))}, "classifier": {"kernel": jnp.ones((2, 2))}}
    ones = jax.tree.map(jnp.ones_like, params)
    assert _steps(tx, params, ones) == {"stage1/kernel": 1.0, "classifier/kernel": 1.0}


def test_the_head_stays_one_beside_a_frozen_backbone(optimizer):
    tx = optimizer(head_lr_multiplier=10.0, lr_multipliers=(("^backbone/", 0.0),))
    steps = _steps(tx)
    assert (steps["backbone/conv/kernel"], steps["classifier/kernel"]) == (0.0, 10.0)


@pytest.mark.parametrize(
    ("patterns", "decayed"),
    [
        ((r"(^|/)kernel$",), {"backbone/conv/kernel", "classifier/kernel"}),
        ((".*",), set(_steps(optax.identity()))),
        (("^classifier/", "backbone2"), {"classifier/kernel", "classifier/bias", "backbone2/bias"}),
        ((), set()),
    ],
)
def test_decay_applies_where_a_pattern_matches(optimizer, patterns, decayed):
    tx = optimizer(weight_decay=0.25, decayed=patterns)
    steps = _steps(tx)
    assert steps == {path: 1.25 if path in decayed else 1.0 for path in steps}


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_the_factor_multiplies_the_decay(optimizer, name):
    nothing = jax.tree.map(jnp.zeros_like, NETWORK)
    tx = optimizer(name, weight_decay=0.125, lr_multipliers=(("^classifier", 4.0),))
    steps = _steps(tx, gradients=nothing)
    assert (steps["backbone/conv/kernel"], steps["classifier/kernel"]) == (0.125, 0.5)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("gradient", [1.0, np.nan, np.inf])
def test_what_is_frozen_does_not_move(optimizer, name, gradient):
    tx = optimizer(name, momentum=0.9, weight_decay=0.1, lr_multipliers=(("backbone/", 0.0),))
    gradients = {**ONES, "backbone": jax.tree.map(lambda x: gradient * x, ONES["backbone"])}
    steps = _steps(tx, gradients=gradients, num_steps=3)
    assert (steps["backbone/conv/kernel"], steps["backbone/conv/bias"]) == (0.0, 0.0)
    assert 0.0 not in (steps["classifier/kernel"], steps["classifier/bias"])


def test_what_is_frozen_has_no_momentum(optimizer):
    size = {
        factor: sum(
            leaf.size
            for leaf in jax.tree.leaves(
                optimizer(momentum=0.9, lr_multipliers=(("^backbone/", factor),)).init(NETWORK)
            )
        )
        for factor in (0.0, 1.0)
    }
    assert size[1.0] - size[0.0] == 6


def test_clipping_ignores_what_is_frozen(optimizer):
    tx = optimizer(clip_norm=1.0, lr_multipliers=(("^backbone", 0.0),))
    gradients = {**ONES, "backbone": jax.tree.map(lambda x: 1e6 * x, ONES["backbone"])}
    assert _steps(tx, gradients=gradients)["classifier/bias"] == 1 / np.sqrt(6)


def test_clipping_leaves_small_gradients_alone_and_comes_before_decay_and_factors(optimizer):
    norm = np.sqrt(14)
    fields = {"weight_decay": 0.5, "lr_multipliers": (("^classifier", 3.0),)}
    large = _steps(optimizer(clip_norm=norm / 2, **fields))
    small = _steps(optimizer(clip_norm=norm * 2, **fields))
    assert (large["classifier/kernel"], small["classifier/kernel"]) == (3.0, 4.5)


def test_an_optimiser_with_frozen_parts_survives_a_checkpoint(optimizer, tmp_path):
    tx = optimizer("adam", lr_multipliers=(("^backbone/", 0.0),))
    state = tx.update(ONES, tx.init(NETWORK), NETWORK)[1]
    with Checkpointer(tmp_path / "checkpoints") as checkpointer:
        checkpointer.save(1, state)
        checkpointer.wait()
        restored = checkpointer.restore(tx.init(NETWORK))
    jax.tree.map(np.testing.assert_array_equal, restored, state)


@pytest.mark.parametrize("field", ["decayed", "lr_multipliers"])
@pytest.mark.parametrize("pattern", ["kernal$", "ker(nel"])
def test_patterns_that_choose_nothing_are_refused(optimizer, field, pattern):
    value = (r"bias$", pattern) if field == "decayed" else ((r"bias$", 2.0), (pattern, 2.0))
    message = rf"config\.optimizer\.{field} has {pattern!r}".replace("(", r"\(")
    with pytest.raises(ValueError, match=message.replace("$", r"\$")) as refused:
        optimizer(**{field: value}).init(NETWORK)
    assert ("backbone/conv/bias" in str(refused.value)) == (pattern == "kernal$")


def test_a_pattern_may_choose_only_what_is_frozen(optimizer):
    tx = optimizer(decayed=("^backbone/",), lr_multipliers=(("^backbone/", 0.0),))
    assert _steps(tx)["classifier/kernel"] == 1.0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_nesterov_is_refused_where_it_would_do_nothing(optimizer, name):
    if name in ("sgd", "lars"):
        optimizer(name, nesterov=True)
    else:
        with pytest.raises(ValueError, match=rf"nesterov=True .* {name!r}"):
            optimizer(name, nesterov=True)
