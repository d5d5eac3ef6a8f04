"""The loop: rows, checkpoints, stopping, looking on, and a resumed run that is the same run."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seg_jax.checkpoints import Checkpointer
from seg_jax.logs import MetricsLog, Writers, read_metrics
from seg_jax.losses.objective import make_objective
from seg_jax.preprocess import IMAGENET
from seg_jax.train.diverged import DivergedError, Evidence
from seg_jax.train.loop import Evaluations, Pictures, train
from seg_jax.train.progress import StoppedError
from seg_jax.train.state import create_state
from seg_jax.train.step import make_train_step

PALETTE = [(0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)]


def batch_of(taken):
    """The batch after `taken` steps, like the data pipeline's a pure function of them."""
    random = np.random.RandomState(taken)
    label = random.randint(0, 4, (4, 8, 8)).astype(np.uint8)
    image = np.repeat(label[..., None] * 60, 3, axis=-1) + random.randint(0, 9, (4, 8, 8, 3))
    ids = [f"street{taken}_{row}" for row in range(4)]
    return {"image": image.astype(np.uint8), "label": label, "id": ids}


def stream(start):
    while True:
        yield batch_of(start)
        start += 1


def unchanged(step, scalars):
    return scalars


def bad_at(step, **values):
    """Replaces scalars of one step, as if the loss had come out so."""

    def change(number, scalars):
        changed = {name: jax.device_put(np.float32(value)) for name, value in values.items()}
        return {**scalars, **changed} if number == step else scalars

    return change


class Kept:
    """A writer that keeps pictures in memory."""

    def __init__(self):
        self.pictures = {}

    def write(self, step, row):
        pass

    def draw(self, step, pictures):
        self.pictures[step] = pictures

    def close(self):
        pass


@functools.cache
def parts(toy):
    """What all runs share, compiled once."""
    model = toy()
    schedule = optax.constant_schedule(0.1)
    tx = optax.sgd(schedule, momentum=0.9)
    objective = make_objective(
        {"cross_entropy": {}}, num_classes=4, aux_weight=0.0, presence_weight=0.0
    )
    step = make_train_step(
        model, tx, schedule, objective, IMAGENET, axis=None, ema_decay=0.9, jitter=0.1
    )
    return model, tx, jax.jit(step, donate_argnums=0)


@pytest.fixture
def run(toy, tmp_path):
    model, tx, compiled = parts(toy)

    def run(name, *, num_steps=12, stop_after=None, change=unchanged, batches=stream, **looks):
        def step(state, batch):
            number = int(jax.device_get(state.step)) + 1
            state, scalars = compiled(state, jax.device_put(batch))
            return state, change(number, scalars)

        variables = model.init(jax.random.key(0), jnp.zeros((1, 8, 8, 3)), train=False)
        state = create_state(variables, tx, seed=5, ema=True)
        seen, kept = [], Kept()
        with Checkpointer(tmp_path / name / "checkpoints", keep_best=1) as checkpointer:
            state = checkpointer.restore(state) or state
            start = int(state.step)
            log = MetricsLog(tmp_path / name / "metrics.jsonl", resume_at=start)
            state, timing = train(
                step,
                state,
                batches(start),
                checkpointer,
                Writers([log, kept]),
                num_steps=num_steps,
                batch_size=4,
                log_every=4,
                checkpoint_every=5,
                on_progress=seen.append,
                stop_requested=lambda: stop_after is not None and len(seen) >= stop_after,
                history=log.rows,
                evidence=Evidence(tmp_path / name, PALETTE, batch_of),
                **looks,
            )
        return jax.device_get(state), seen, timing, tmp_path / name, kept

    return run


def rows_of(folder, *names):
    """The rows that hold the first name: their step, and the values of the names."""
    rows = [row for row in read_metrics(folder / "metrics.jsonl") if names[0] in row]
    return [(row["step"], *(row[name] for name in names)) for row in rows]


def saved(folder):
    return sorted(int(p.name) for p in (folder / "checkpoints").iterdir() if p.name.isdigit())


def test_the_loss_falls_and_rows_and_progress_agree(run):
    state, seen, timing, folder, _ = run("whole")
    rows = read_metrics(folder / "metrics.jsonl")
    assert [row["step"] for row in rows] == [progress.step for progress in seen] == [1, 4, 8, 12]
    assert [row["loss"] for row in rows] == [progress.loss for progress in seen]
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert rows[-1]["learning_rate"] == seen[-1].learning_rate == pytest.approx(0.1)
    assert all(0 <= row["data_wait"] <= 1 for row in rows)
    assert int(state.step) == 12
    assert timing.compile_seconds > 0
    assert timing.images_per_second > 0
    assert seen[-1].seconds_left == 0


def test_stopped_and_resumed_is_the_uninterrupted_run_to_the_bit(run):
    whole, _, _, whole_folder, _ = run("whole")
    with pytest.raises(StoppedError, match="step 4 of 12"):
        run("cut", stop_after=2)
    resumed, seen, _, folder, _ = run("cut")
    assert seen[0].step == 5
    jax.tree.map(np.testing.assert_array_equal, resumed, whole)
    expected, found = (dict(rows_of(path, "loss")) for path in (whole_folder, folder))
    assert found == {**expected, 5: found[5]}


def test_a_finished_run_takes_no_further_step(run):
    whole, *_ = run("whole")
    again, seen, timing, *_ = run("whole", evaluations=Evaluations(6, lambda state: {"miou": 1.0}))
    assert seen == []
    assert timing.images_per_second == 0
    jax.tree.map(np.testing.assert_array_equal, again, whole)


def score(state):
    """Something that needs the device, and random numbers."""
    noise = jax.random.normal(jax.random.key(0), ())
    total = sum(jnp.sum(jnp.abs(x)) for x in jax.tree.leaves(state.variables))
    return {"miou": float(total / (total + 100.0 + noise))}


def test_looking_on_changes_no_bit(run):
    whole, _, _, whole_folder, _ = run("whole")
    drawn = lambda state: {"one": np.full((2, 2, 3), int(state.step), np.uint8)}  # noqa: E731
    looks = {"evaluations": Evaluations(3, score), "pictures": Pictures(2, drawn)}
    watched, seen, _, folder, kept = run("watched", **looks)
    jax.tree.map(np.testing.assert_array_equal, watched, whole)
    assert rows_of(folder, "loss") == rows_of(whole_folder, "loss")
    # Not at the end: the caller evaluates the last state in full.
    assert [step for step, _ in rows_of(folder, "miou")] == [3, 6, 9]
    assert list(kept.pictures) == [2, 4, 6, 8, 10, 12]
    assert all((one["one"] == step).all() for step, one in kept.pictures.items())
    told = [(p.scores_step, p.scores["miou"]) for p in seen if p.step in (3, 6, 9)]
    assert told == rows_of(folder, "miou")


def test_the_state_with_the_best_score_is_kept(run):
    best_at_6 = Evaluations(3, lambda state: {"miou": 1 / abs(int(state.step) - 5)})
    *_, folder, _ = run("whole", evaluations=best_at_6)
    assert saved(folder) == [6, 10, 12]


def test_an_evaluation_that_was_stopped_is_made_after_the_resume(run):
    looks = {"evaluations": Evaluations(3, score)}
    whole, _, _, whole_folder, _ = run("whole", **looks)

    def stopped_at_6(state):
        if int(state.step) == 6:
            raise StoppedError("asked to")
        return score(state)

    with pytest.raises(StoppedError):
        run("cut", evaluations=Evaluations(3, stopped_at_6))
    resumed, seen, _, folder, _ = run("cut", **looks)
    assert (seen[0].step, seen[0].scores_step, seen[1].step) == (6, 6, 7)
    jax.tree.map(np.testing.assert_array_equal, resumed, whole)
    assert rows_of(folder, "miou") == rows_of(whole_folder, "miou")


def test_a_finished_evaluation_is_not_made_again(run):
    looks = {"evaluations": Evaluations(3, score)}

    def breaks_after_6(start):
        yield from (batch_of(taken) for taken in range(start, 6))
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        run("cut", batches=breaks_after_6, **looks)
    _, seen, _, folder, _ = run("cut", **looks)
    assert [progress.step for progress in seen] == [7, 8, 9, 12]
    assert [step for step, _ in rows_of(folder, "miou")] == [3, 6, 9]


def test_the_first_bad_step_is_named_with_its_batch(run):
    with pytest.raises(DivergedError) as error:
        run("bad", change=bad_at(7, loss=np.nan))
    folder = error.value.args[0].split("is in ")[1].split("/diverged")[0]
    assert "The loss is nan at step 7 (learning rate 0.1, loss nan, grad norm" in str(error.value)
    assert "street6_0, street6_1, street6_2, street6_3" in str(error.value)
    assert "config.schedule.base_lr" in str(error.value)
    with np.load(f"{folder}/diverged.npz") as kept:
        expected = batch_of(6)
        for name in ("image", "label", "id"):
            np.testing.assert_array_equal(kept[name], expected[name])
        assert kept["step"] == 7


def test_the_row_of_the_bad_step_is_the_last_one(run, tmp_path):
    with pytest.raises(DivergedError):
        run("bad", change=bad_at(7, loss=np.inf))
    assert rows_of(tmp_path / "bad", "loss")[-1] == (7, None)
    assert saved(tmp_path / "bad") == [5]


@pytest.mark.parametrize("step", [9, 10])
def test_the_state_of_a_bad_step_is_not_saved(run, tmp_path, step):
    # A checkpoint is due at 10; rows at 8 and 12.
    with pytest.raises(DivergedError, match=rf"gradient's norm is inf at step {step}"):
        run("bad", change=bad_at(step, grad_norm=np.inf))
    assert saved(tmp_path / "bad") == [5]


def test_a_bad_step_is_found_before_a_stop_saves_its_state(run, tmp_path):
    looks = {"stop_after": 1, "change": bad_at(1, loss=np.nan)}
    with pytest.raises(DivergedError, match=r"nan at step 1 .*launch.py doctor"):
        run("bad", **looks)
    assert saved(tmp_path / "bad") == []


def test_an_exploded_loss_ends_the_run_and_the_same_after_a_resume(run):
    exploded = bad_at(7, loss=2e4)  # the resumed run has no row of its own before
    with pytest.raises(DivergedError, match=r"The loss is 2e\+04, having been .* step 7"):
        run("whole", change=exploded)
    with pytest.raises(StoppedError, match="step 4 of 12"):
        run("cut", change=exploded, stop_after=2)
    with pytest.raises(DivergedError, match=r"The loss is 2e\+04, having been .* step 7"):
        run("cut", change=exploded)


def test_a_step_may_not_move_data_unasked(run):
    careless = lambda number, scalars: {"loss": scalars["loss"] + np.float32(1)}  # noqa: E731
    with pytest.raises(Exception, match="Disallowed host-to-device transfer"):
        run("careless", change=careless)
