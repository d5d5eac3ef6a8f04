"""A state of another network, optimiser or averaging is told apart by the paths of its arrays."""

import jax
import jax.numpy as jnp
import optax
import pytest

from seg_jax.checkpoints import Checkpointer, CheckpointError
from seg_jax.checkpoints.structure import arrays, find_difference
from seg_jax.train.state import create_state


def state(*, tx=None, ema=True, features=3, dtype=jnp.float32):
    variables = {
        "params": {
            "conv": {
                "kernel": jnp.zeros((2, features), dtype),
                "bias": jnp.zeros((features,), dtype),
            }
        }
    }
    return create_state(variables, tx or optax.adam(0.1), seed=3, ema=ema)


def test_arrays_are_named_by_their_paths():
    assert arrays({"a": {"b": jnp.zeros((2, 3))}, "c": (jnp.int32(1), {}, None)}) == {
        "a/b": "float32[2, 3]",
        "c/0": "int32[]",
    }


def test_differences_are_named_two_at_most():
    saved, wanted = {"a": "x", "b": "x", "c": "x"}, {"a": "y", "b": "x", "d": "x"}
    assert find_difference(saved, saved) is None
    assert find_difference(saved, wanted) == "it lacks d; it holds c besides; and 1 more"
    assert find_difference({"a": "x"}, {"a": "y"}) == "a is x, not y"


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ({"tx": optax.sgd(0.1, momentum=0.9)}, "lacks opt_state/0/trace/conv/bias"),
        ({"tx": optax.sgd(0.1)}, "holds opt_state/0/count besides"),
        ({"ema": False}, "holds ema/params/conv/bias besides"),
        ({"features": 4}, "params/conv/bias is float32[3], not float32[4]"),
        ({"dtype": jnp.bfloat16}, "params/conv/bias is float32[3], not bfloat16[3]"),
    ],
)
def test_another_state_is_refused_in_one_sentence_and_nothing_moves(
    tmp_path, caplog, names, other, difference
):
    with Checkpointer(tmp_path) as checkpointer:
        checkpointer.save(7, state())
    with Checkpointer(tmp_path) as checkpointer, pytest.raises(CheckpointError) as error:
        checkpointer.restore(state(**other))
    assert "holds another network or optimiser than the config describes" in str(error.value)
    assert difference in str(error.value)
    assert str(error.value).endswith("or another --workdir.")
    assert names(tmp_path) == ["7"]
    assert "Traceback" not in caplog.text


def test_a_state_without_averages_is_not_taken_for_one_with_them(tmp_path):
    with Checkpointer(tmp_path) as checkpointer:
        checkpointer.save(7, state(ema=False))
        with pytest.raises(CheckpointError, match="lacks ema/params/conv/bias"):
            checkpointer.restore(state())
        again = checkpointer.restore(state(ema=False))
    assert jax.tree.structure(again) == jax.tree.structure(state(ema=False))
