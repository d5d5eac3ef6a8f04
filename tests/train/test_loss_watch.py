"""Which losses end a run, which do not, and that steps are not waited for one by one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.train.loss_watch import Fault, LossWatch


def read_after(losses, *, rows, norm=1.0):
    """What is found in these losses, the log having held the rows before."""
    watch = LossWatch(rows)
    for step, loss in enumerate(losses, start=1):
        watch.add(step, {"loss": jnp.float32(loss), "grad_norm": jnp.float32(norm)})
    return watch.read()


@pytest.mark.parametrize(
    ("rows", "losses"),
    [
        # FCN's sums over half a million pixels of 21 classes, images and labelled parts differing.
        ([7.6e5, 3.1e5], [9.0e5, 2.0e3, 1.5e6, 1.2e7]),
        # The first batch held nothing but ignored pixels.
        ([0.0], [7.6e5]),
        ([0.0, 0.0, 7.6e5], [9.0e5]),
        # A fine-tuned network that is wrong about one picture.
        ([1e-5], [19.0]),
        # A region loss, and one that is maximised.
        ([0.9, 0.4], [1.0, -3.0]),
        # No row yet.
        ([], [1e9]),
        # One of the first rows was itself a spike.
        ([1.6, 3e4, 1.5], [1.4]),
    ],
)
def test_no_false_alarm(rows, losses):
    found = read_after(losses, rows=rows)
    assert not isinstance(found, Fault)
    assert found["loss"] == np.float32(losses[-1])


@pytest.mark.parametrize(
    ("rows", "losses", "step", "what"),
    [
        ([1.6], [1.5, np.nan, 1.2, np.nan], 2, "The loss is nan"),
        ([1.6], [1.5, 1.4, -np.inf], 3, "The loss is -inf"),
        ([1.6], [1.5, 1.7e4, 2.0, 1e9], 2, "The loss is 1.7e+04, having been 1.6 at first,"),
        ([7.6e5, 3e5], [8e5, 8e9], 2, "The loss is 8e+09, having been 5.3e+05 at first,"),
        # The level is that of the first ten rows, whatever the others are.
        ([1.0] * 10 + [1e6] * 30, [1.1e4], 1, "The loss is 1.1e+04, having been 1 at first,"),
        # The median: a spike among the first rows does not hide an explosion.
        ([1.6, 1e9, 1.5], [1.7e4], 1, "The loss is 1.7e+04, having been 1.6 at first,"),
    ],
)
def test_the_first_bad_step(rows, losses, step, what):
    found = read_after(losses, rows=rows)
    assert isinstance(found, Fault)
    assert (found.step, found.what) == (step, what)
    assert found.scalars["loss"] == pytest.approx(losses[step - 1], nan_ok=True)


def test_a_gradient_that_is_no_number_is_a_fault():
    found = read_after([1.5], rows=[1.6], norm=np.inf)
    assert isinstance(found, Fault)
    assert found.what == "The gradient's norm is inf"


def test_reading_again_gives_the_last_step_again():
    watch = LossWatch()
    watch.add(1, {"loss": jnp.float32(2.0)})
    assert watch.read() == watch.read() == {"loss": 2.0}
    watch.add(2, {"loss": jnp.float32(3.0)})
    assert watch.read() == {"loss": 3.0}


def test_only_the_steps_before_the_last_few_are_waited_for(monkeypatch):
    waited = []
    monkeypatch.setattr(jax, "block_until_ready", lambda x: waited.append(float(x["loss"])))
    watch = LossWatch()
    for step in range(1, 6):
        watch.add(step, {"loss": jnp.float32(step)})
        watch.wait_for_all_but(2)
    assert waited == [1, 2, 3]
    watch.read()
    watch.wait_for_all_but(2)
    assert waited == [1, 2, 3]
