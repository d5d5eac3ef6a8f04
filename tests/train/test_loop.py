"""The loop: rows, checkpoints, stopping, and a resumed run that is the same run to the bit."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.checkpoints import Checkpointer
from seg_jax.losses.cross_entropy import softmax_cross_entropy
from seg_jax.losses.presence import presence_cross_entropy
from seg_jax.optim.schedules import constant
from seg_jax.optim.sgd import sgd
from seg_jax.preprocess import IMAGENET
from seg_jax.train.loop import DivergedError, MetricsLog, StoppedError, read_metrics, train
from seg_jax.train.parallel import AXIS, map_train_step
from seg_jax.train.state import create_state
from seg_jax.train.step import make_train_step


def stream(start):
    """Batches as a pure function of the step, like the data pipeline's."""
    step = start
    while True:
        random = np.random.RandomState(step)
        label = random.randint(0, 4, (4, 8, 8)).astype(np.uint8)
        image = np.repeat(label[..., None] * 60, 3, axis=-1) + random.randint(0, 9, (4, 8, 8, 3))
        yield {"image": image.astype(np.uint8), "label": label}
        step += 1


@pytest.fixture
def run(toy, tmp_path):
    model = toy(axis=AXIS)
    schedule = constant(base_lr=0.1, num_steps=1)
    tx = sgd(schedule)
    step = map_train_step(
        make_train_step(
            model,
            tx,
            schedule,
            softmax_cross_entropy,
            presence_cross_entropy,
            IMAGENET,
            axis=AXIS,
            aux_weight=0.0,
            presence_weight=0.0,
            jitter=0.1,
        ),
        backend="pmap",
    )

    def run(name, *, num_steps=12, stop_after=None, poison=None):
        variables = model.init(jax.random.key(0), jnp.zeros((1, 8, 8, 3)), train=False)
        state = create_state(variables, tx, seed=5)
        seen = []
        with Checkpointer(tmp_path / name / "checkpoints") as checkpointer:
            state = checkpointer.restore(state) or state
            if poison:
                state = state.replace(params=jax.tree.map(lambda x: x * jnp.nan, state.params))
            start = int(state.step)
            state, timing = train(
                step,
                state,
                stream(start),
                checkpointer,
                MetricsLog(tmp_path / name / "metrics.jsonl", resume_at=start),
                num_steps=num_steps,
                log_every=4,
                checkpoint_every=5,
                on_progress=seen.append,
                stop_requested=lambda: stop_after is not None and len(seen) >= stop_after,
            )
        return jax.device_get(state), seen, timing, tmp_path / name

    return run


def test_the_loss_falls_and_rows_and_progress_agree(run):
    state, seen, timing, folder = run("whole")
    rows = read_metrics(folder / "metrics.jsonl")
    assert [row["step"] for row in rows] == [progress.step for progress in seen] == [1, 4, 8, 12]
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert int(state.step) == 12
    assert timing.compile_seconds > 0
    assert seen[-1].seconds_left == 0


def test_stopped_and_resumed_is_the_uninterrupted_run_to_the_bit(run):
    whole, *_, whole_folder = run("whole")
    with pytest.raises(StoppedError, match="step 4 of 12"):
        run("cut", stop_after=2)
    resumed, seen, _, folder = run("cut")
    assert seen[0].step == 5
    jax.tree.map(np.testing.assert_array_equal, resumed, whole)
    losses = [
        {row["step"]: row["loss"] for row in read_metrics(path / "metrics.jsonl")}
        for path in (whole_folder, folder)
    ]
    assert losses[1] == {**losses[0], 5: losses[1][5]}


def test_a_finished_run_takes_no_further_step(run):
    whole, *_ = run("whole")
    again, seen, timing, _ = run("whole")
    assert seen == []
    assert timing.images_per_second == 0
    jax.tree.map(np.testing.assert_array_equal, again, whole)


def test_a_loss_that_is_no_number_ends_the_run_with_what_to_change(run):
    with pytest.raises(DivergedError, match=r"nan at step 1.*config.schedule.base_lr"):
        run("diverged", poison=True)


def test_rows_after_the_checkpoint_and_half_a_line_are_written_again(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 4, "loss": 1.0, "seconds": 8.0}\n{"step": 8, "loss": 0.5}\n{"step"')
    log = MetricsLog(path, resume_at=5)
    log.write(8, {"loss": 0.25})
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(row["step"], row["loss"]) for row in rows] == [(4, 1.0), (8, 0.25)]
    assert rows[1]["seconds"] >= 8.0
