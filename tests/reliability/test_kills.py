"""`launch.py train` killed at random moments, and run again, is the run that nobody killed.

Every kill is judged twice. At once: the newest checkpoint is bit for bit that of the uninterrupted
run at its step, read here by Orbax alone, and no more work is lost than the step being saved. And
when the trial is done: parameters, averages, optimiser, losses, scores and confusion matrix.
"""

import collections
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest

ROOT = Path(__file__).parents[2]
EVERY = 4
AIMS = ("save", "steps", "start", "save", "steps", "save", "evaluation")

EXPERIMENT = textwrap.dedent(
    """
    from seg_jax.config import base_config

    def get_config():
        config = base_config()
        config.dataset.name = "scenes"
        config.dataset.eval_split = "size_6"
        config.augment.crop_size = (32, 32)
        config.model = {
            "name": "unet", "base_features": 4, "depth": 1, "bottom_dropout_rate": 0.5
        }
        config.train.num_steps = 60
        config.train.batch_size = 4
        config.train.log_every = 1
        config.train.checkpoint_every = 4
        config.train.ema_decay = 0.9
        config.train.keep_best = 1
        config.evaluate.every = 28
        config.evaluate.boundary_widths = ()
        config.evaluate.num_pictures = 1
        config.evaluate.probes = False
        config.evaluate.batch_size = 8
        config.log.tensorboard = False
        return config
    """
)


class Trial:
    """A trial's folder, and the process that works in it."""

    def __init__(self, folder, environment):
        self.folder, self.environment = folder, environment
        self.output = folder.with_suffix(".out")
        self.workers, self.process, self.floor = 0, None, 0

    def start(self, *overrides):
        self.began = time.time()
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, str(ROOT / "launch.py"), "train", "--config=experiment.py"),
                    f"--workdir={self.folder.name}",
                    f"--config.dataset.num_workers={self.workers}",
                    *overrides,
                ],
                cwd=self.folder.parent,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def stop(self, number):
        self.process.send_signal(number)
        return self.process.wait(timeout=120)

    def change_workers(self, workers):
        """Continues with another number of data workers, which `launch.py` would refuse."""
        path = self.folder / "config.json"
        if path.exists():
            values = json.loads(path.read_text())
            values["dataset"]["num_workers"] = self.workers = workers
            path.write_text(json.dumps(values))

    @property
    def text(self):
        return self.output.read_text()

    @property
    def resumed_at(self):
        """Steps that the process had already when it started; None before its first step."""
        first = re.search(r"step (\d+)/", self.text)
        return int(first[1]) - 1 if first else None

    @property
    def names(self):
        folder = self.folder / "checkpoints"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    @property
    def unfinished(self):
        """Names of what this process, not one before it, is writing or removing."""
        folder = self.folder / "checkpoints"
        found = set()
        for name in self.names:
            with contextlib.suppress(FileNotFoundError):
                if not name.isdigit() and (folder / name).stat().st_ctime > self.began:
                    found.add(name.split(".", 1)[1])
        return found

    @property
    def newest(self):
        return max((int(name) for name in self.names if name.isdigit()), default=0)

    @property
    def rows(self):
        path = self.folder / "metrics.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}\n")]

    @property
    def result(self):
        return json.loads((self.folder / "result.json").read_text())

    def arrays(self, step):
        """Returns the arrays of a checkpoint, by Orbax alone."""
        with ocp.StandardCheckpointer() as orbax:
            return orbax.restore(self.folder / "checkpoints" / str(step) / "default")


@pytest.fixture(scope="module")
def make_trial(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kills")
    (folder / "experiment.py").write_text(EXPERIMENT)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "SEG_JAX_COMPILATION_CACHE": str(folder / "xla"),
        "JAX_PLATFORMS": "cpu",
    }
    return lambda name: Trial(folder / name, environment)


@pytest.fixture(scope="module")
def whole(make_trial):
    """The trial that nobody kills, with all of its checkpoints."""
    trial = make_trial("whole")
    trial.start(f"--config.train.keep_every={EVERY}")
    wait_for(trial, lambda: trial.resumed_at is not None)
    trial.startup = time.time() - trial.began
    assert trial.process.wait(timeout=600) == 0, trial.text
    return trial


def equal(one, other):
    assert jax.tree.structure(one) == jax.tree.structure(other)
    jax.tree.map(np.testing.assert_array_equal, one, other)


def losses(trial):
    return {row["step"]: row["loss"] for row in trial.rows if "loss" in row}


def scores(trial):
    return {row["step"]: row["miou"] for row in trial.rows if "miou" in row}


def judge(trial, whole):
    """Compares what a kill left with the uninterrupted run."""
    newest, reached = trial.newest, max(losses(trial), default=0)
    assert not [name for name in trial.names if "damaged" in name]
    assert newest >= trial.floor, "A saved step is gone."
    begun = (reached - 1) // EVERY * EVERY  # a row is written before its step is saved
    assert newest >= begun - EVERY, "More is lost than the step being saved."
    if trial.resumed_at is not None:
        assert trial.resumed_at == trial.floor, "It did not resume where it could have."
    if newest:
        equal(trial.arrays(newest), whole.arrays(newest))
    trial.floor = newest


def judge_the_end(trial, whole):
    assert trial.process.returncode == 0, trial.text
    equal(trial.arrays(60), whole.arrays(60))
    assert trial.arrays(60)["ema"]
    for field in ("metrics", "confusion"):
        assert trial.result[field] == whole.result[field]
    assert losses(trial) == losses(whole)
    assert scores(trial) == scores(whole)


def wait_for(trial, condition):
    """Returns once the condition holds or the process has ended."""
    while trial.process.poll() is None and not condition():
        time.sleep(0.001)


def aim(trial, draw, target, startup):
    """Waits for a random moment of the target; `startup` is how long that takes, in seconds."""
    if target == "start":
        time.sleep(draw.uniform(0, startup))
        return
    if target == "evaluation":
        wait_for(trial, lambda: max(losses(trial), default=0) == 60)
        time.sleep(draw.uniform(0, 1))
        return
    wait_for(trial, lambda: trial.resumed_at is not None)
    step = (trial.resumed_at or 0) + draw.integers(1, 20)
    wait_for(trial, lambda: f"step {step}/" in trial.text)
    if target == "save":
        wait_for(trial, lambda: trial.unfinished)
        time.sleep(draw.uniform(0, 0.05))


def hit(trial):
    """Returns what the process was doing when it was killed, by what it left."""
    if trial.resumed_at is None and trial.newest < 60:
        return "start-up"
    unfinished = trial.unfinished
    if any("orbax-checkpoint-tmp" in name for name in unfinished):
        return "Orbax writing"
    if unfinished:
        return "manifest" if "saving" in unfinished else "removal"
    return "evaluation" if max(losses(trial)) == 60 else "steps"


def test_killed_at_random_moments_it_is_the_same_run_to_the_bit(make_trial, whole, kills, tell):
    draw, counts, number, trial = np.random.default_rng(5), collections.Counter(), 0, None
    done = 0
    while number < kills or trial:
        if trial is None:
            trial = make_trial(f"cut{done}")
        if draw.random() < 0.1:
            trial.change_workers(1 - trial.workers)
            counts["other workers"] += 1
        trial.start()
        if number < kills:
            aim(trial, draw, AIMS[number % len(AIMS)], whole.startup)
            if trial.process.poll() is None:
                trial.stop(signal.SIGKILL)
                counts[hit(trial)] += 1
                judge(trial, whole)
                number += 1
                tell(f"{number}: {trial.folder.name} at {trial.newest}, {dict(counts)}")
                continue
        trial.process.wait(timeout=600)
        judge_the_end(trial, whole)
        trial, done = None, done + 1
    tell(f"\n{kills} kills in {done} trials, all finished to the same bits; hit: {dict(counts)}")


def test_sigterm_saves_the_step_and_the_rest_is_the_same(make_trial, whole, kills, tell):
    draw, trial, times = np.random.default_rng(6), make_trial("terminated"), max(1, kills // 10)
    for number in range(times):
        trial.start()
        aim(trial, draw, "steps", whole.startup)
        if trial.process.poll() is None:
            assert trial.stop(signal.SIGTERM) == 143, trial.text
            assert trial.newest == max(losses(trial)), "The last step was not saved."
            assert "the state is saved" in trial.text
            tell(f"SIGTERM {number + 1}: saved at {trial.newest}")
    trial.start()
    trial.process.wait(timeout=600)
    judge_the_end(trial, whole)
