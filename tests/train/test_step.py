"""The step against gradients written out, and in micro-batches against itself."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seg_jax.labels import IGNORE_LABEL
from seg_jax.losses.objective import make_objective
from seg_jax.preprocess import IMAGENET, normalise
from seg_jax.train.state import create_state
from seg_jax.train.step import make_train_step
from seg_jax.typing import Outputs

TERMS = {"cross_entropy": {}, "dice": {"weight": 0.5}}


class Plain(nn.Module):
    """A convolution and an auxiliary one, without normalisation."""

    @nn.compact
    def __call__(self, image, *, train):
        logits = nn.Conv(4, (3, 3), name="classifier")(image)
        return Outputs(logits, {"aux": nn.Conv(4, (1, 1), name="aux")(image)})


def batch():
    random = np.random.RandomState(0)
    label = random.randint(0, 4, (8, 6, 10)).astype(np.uint8)
    label[::4] = IGNORE_LABEL  # a micro-batch of them alone among four
    label[1, :5] = IGNORE_LABEL
    border = random.rand(8, 6, 10).astype(np.float32)
    image = random.randint(0, 256, (8, 6, 10, 3)).astype(np.uint8)
    return {"image": image, "label": label, "border": border}


def step_of(terms, **options):
    model, tx = Plain(), optax.sgd(0.1, momentum=0.9)
    objective = make_objective(terms, num_classes=4, aux_weight=0.4, presence_weight=0.0)
    variables = model.init(jax.random.key(0), jnp.zeros((1, 6, 10, 3)), train=False)
    step = make_train_step(
        model, tx, optax.constant_schedule(0.1), objective, IMAGENET, axis=None, **options
    )
    return jax.jit(step), create_state(variables, tx, seed=3, ema=bool(options.get("ema_decay")))


def test_the_step_is_the_gradient_of_every_term_over_its_weight():
    step, state = step_of(TERMS)
    data = jax.tree.map(jnp.asarray, batch())
    objective = make_objective(TERMS, num_classes=4, aux_weight=0.4, presence_weight=0.0)

    def loss(params):
        image = normalise(jnp.asarray(data["image"]), IMAGENET)
        outputs = Plain().apply({"params": params}, image, train=True)
        terms = objective(outputs, data)
        assert {name: term.factor for name, term in terms.items()} == {
            "cross_entropy": 1.0,
            "cross_entropy/aux": 0.4,
            "dice": 0.5,
            "dice/aux": 0.2,
        }
        return sum(term.factor * term.sum / term.weight for term in terms.values())

    expected, grads = jax.value_and_grad(loss)(state.params)
    new, scalars = step(state, data)
    np.testing.assert_allclose(scalars["loss"], expected, rtol=1e-6)
    jax.tree.map(
        lambda after, before, grad: np.testing.assert_allclose(
            after, before - 0.1 * grad, atol=1e-6
        ),
        new.params,
        state.params,
        grads,
    )
    parts = sum(
        factor * scalars[f"loss/{name}"]
        for name, factor in [
            ("cross_entropy", 1.0),
            ("cross_entropy/aux", 0.4),
            ("dice", 0.5),
            ("dice/aux", 0.2),
        ]
    )
    np.testing.assert_allclose(parts, expected, rtol=1e-6)


@pytest.mark.parametrize("micro_batches", [2, 4, 8])
def test_micro_batches_take_the_step_of_the_whole(micro_batches):
    whole, state = step_of(TERMS, jitter=0.3)
    cut, _ = step_of(TERMS, jitter=0.3, micro_batches=micro_batches)
    expected, expected_scalars = whole(state, batch())
    actual, scalars = cut(state, batch())
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), actual.params, expected.params
    )
    assert scalars.keys() == expected_scalars.keys()
    for name, value in scalars.items():
        np.testing.assert_allclose(value, expected_scalars[name], rtol=1e-5, err_msg=name)


def test_an_unnormalised_sum_is_not_divided():
    mean, state = step_of({"cross_entropy": {}})
    total, _ = step_of({"cross_entropy": {"reduction": "sum"}})
    data = {key: value for key, value in batch().items() if key != "border"}
    counted = float(np.sum(batch()["label"] != IGNORE_LABEL))
    expected = mean(state, data)[1]["loss"] * counted
    np.testing.assert_allclose(total(state, data)[1]["loss"], expected, rtol=1e-5)


def test_a_batch_without_a_label_moves_nothing():
    step, state = step_of({"cross_entropy": {}})
    data = {**batch(), "label": np.full((8, 6, 10), IGNORE_LABEL, np.uint8)}
    new, scalars = step(state, data)
    assert scalars["loss"] == 0
    jax.tree.map(np.testing.assert_array_equal, new.params, state.params)


def test_averages_follow_the_weights_faster_at_first():
    step, state = step_of({"cross_entropy": {}}, ema_decay=0.3)
    expected = np.asarray(state.params["classifier"]["bias"])
    for number in range(6):
        state, _ = step(state, batch())
        kept = min(0.3, (1 + number) / (10 + number))
        expected = kept * expected + (1 - kept) * np.asarray(state.params["classifier"]["bias"])
    averaged = state.variables["params"]["classifier"]["bias"]
    np.testing.assert_allclose(averaged, expected, atol=1e-6)
    assert np.abs(averaged - state.params["classifier"]["bias"]).max() > 1e-4


def test_without_averages_the_weights_themselves_are_evaluated():
    _, state = step_of({"cross_entropy": {}})
    assert state.variables["params"] is state.params


def test_recomputing_the_forward_pass_changes_nothing_but_memory():
    step, state = step_of(TERMS)
    again, _ = step_of(TERMS, checkpoint_policy=jax.checkpoint_policies.nothing_saveable)
    expected, actual = step(state, batch())[0], again(state, batch())[0]
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-7), actual.params, expected.params
    )
