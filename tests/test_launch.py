"""The command as a user meets it: a real process, a real folder, mistakes, kills."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]

FIELDS = """
experiment uid label seed dataset split weights classes palette metrics boundary_miou probes
num_parameters flops image_size num_steps global_batch_size num_eval_images train_seconds
compile_seconds images_per_second inference_images_per_second versions hardware commit data
"""

EXPERIMENT = textwrap.dedent(
    """
    from seg_jax.config import base_config
    from seg_jax.sweeps.overrides import product

    def get_config():
        config = base_config()
        config.dataset.name = "scenes"
        config.dataset.eval_split = "size_6"
        config.augment.crop_size = (32, 32)
        config.model = {"name": "unet", "base_features": 4, "depth": 1}
        config.train.num_steps = 40
        config.train.batch_size = 4
        config.train.log_every = 2
        config.train.checkpoint_every = 5
        config.evaluate.probes = False
        config.evaluate.batch_size = 8
        return config

    def sweep():
        bad = {"label": "bad", "model": {"name": "unet", "base_feature": 4}}
        good = {"label": "U-Net", "model": {"name": "unet", "base_features": 4, "depth": 1}}
        return product([good, bad], seed=[0])
    """
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("launch")
    (folder / "experiment.py").write_text(EXPERIMENT)
    return folder


@pytest.fixture(scope="module")
def start(folder):
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SEG_JAX_COMPILATION_CACHE": str(folder / "xla"),
        "JAX_PLATFORMS": "cpu",
    }

    def start(*arguments, **options):
        return subprocess.Popen(
            [sys.executable, str(ROOT / "launch.py"), *arguments],
            cwd=folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )

    return start


def finish(process):
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


TRAIN = ("train", "--config=experiment.py")


@pytest.fixture(scope="module")
def whole(start, folder):
    """A trial that ran without a stop."""
    code, out, err = finish(start(*TRAIN, "--workdir=whole"))
    assert code == 0, err
    assert "step 40/40" in out
    assert "mIoU" in out
    return folder / "whole"


def result(folder):
    return json.loads((folder / "result.json").read_text())


def test_the_result_holds_what_the_report_needs(whole):
    values = result(whole)
    for name in FIELDS.split():
        assert name in values
    assert 0 < values["metrics"]["miou"] < 1
    assert values["num_eval_images"] == 64
    pictures = np.load(whole / "predictions.npz")
    assert pictures["prediction_0"].shape == pictures["label_0"].shape
    assert json.loads((whole / "status.json").read_text())["state"] == "done"


def wait_for_step(folder, step):
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        path = folder / "status.json"
        if path.exists() and json.loads(path.read_text())["step"] >= step:
            return
        time.sleep(0.01)
    raise AssertionError(f"step {step} was never reached")


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_and_run_again_is_the_same_run_to_the_bit(whole, start, folder, kill):
    name = f"cut{int(kill)}"
    process = start(*TRAIN, f"--workdir={name}")
    wait_for_step(folder / name, 12)
    process.send_signal(kill)
    code, _, err = finish(process)
    assert code in (-signal.SIGKILL, 128 + kill)
    assert not (folder / name / "result.json").exists()
    if kill != signal.SIGKILL:
        assert "the state is saved" in err
    code, out, err = finish(start(*TRAIN, f"--workdir={name}"))
    assert code == 0, err
    assert "step 1/40" not in out
    for field in ("metrics", "confusion", "boundary_miou"):
        assert result(folder / name)[field] == result(whole)[field]
    losses = [
        {
            row["step"]: row["loss"]
            for row in map(json.loads, (path / "metrics.jsonl").read_text().splitlines())
            if "loss" in row and row["step"] % 2 == 0
        }
        for path in (whole, folder / name)
    ]
    assert losses[0] == losses[1]


def test_a_trial_that_is_done_is_not_run_again(whole, start):
    before = (whole / "result.json").stat().st_mtime_ns
    code, out, _ = finish(start(*TRAIN, "--workdir=whole"))
    assert code == 0
    assert "is done" in out
    assert (whole / "result.json").stat().st_mtime_ns == before


def test_another_config_in_its_folder_is_refused(whole, start):
    code, _, err = finish(start(*TRAIN, "--workdir=whole", "--config.seed=3"))
    assert code == 2
    assert "holds a trial with seed=0, not 3" in err


def test_eval_reads_the_config_and_leaves_the_result(whole, start):
    before = (whole / "result.json").stat().st_mtime_ns
    code, out, err = finish(start("eval", "--workdir=whole", "--config.evaluate.batch_size=5"))
    assert code == 0, err
    assert out.count("whole image, native size") == 2  # of the training, and again
    row = json.loads((whole / "evaluations.jsonl").read_text())
    for name, expected in result(whole)["metrics"].items():
        assert row["metrics"][name] == pytest.approx(expected, abs=1e-3), name
    assert (whole / "result.json").stat().st_mtime_ns == before


def test_a_sweep_survives_a_failing_trial_shows_it_and_resumes(start, folder):
    sweep = ("sweep", "--config=experiment.py", "--workdir=sweep", "--jobs=2")
    code, out, err = finish(start(*sweep, "--config.train.num_steps=6"))
    assert code == 1
    assert "Failed: bad seed 0" in err
    assert "Did you mean 'base_features'" in err
    assert "U-Net" in out
    page = (folder / "sweep" / "report" / "index.html").read_text()
    assert "U-Net" in page
    assert "base_feature" in page
    code, out, _ = finish(start(*sweep, "--config.train.num_steps=6"))
    assert code == 1
    assert "step 6/6" not in out  # the good one was not trained again
    code, _, err = finish(start(*sweep, "--config.train.num_steps=7"))
    assert code == 2
    assert "use another --workdir" in err
    code, out, _ = finish(
        start("list", "--config=experiment.py", "--workdir=sweep", "--config.train.num_steps=6")
    )
    assert code == 0
    assert "done" in out
    assert "failed" in out


def test_two_processes_on_one_workdir(start, folder):
    first = start(*TRAIN, "--workdir=busy")
    wait_for_step(folder / "busy", 1)
    code, _, err = finish(start(*TRAIN, "--workdir=busy"))
    first.kill()
    finish(first)
    assert code == 2
    assert str(first.pid) in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--config.train.num_step=3"], "Did you mean 'num_steps'?"),
        (["--config.model.name=unett"], "Did you mean 'unet'?"),
        (["--config.dataset.name=camvit"], "Did you mean 'camvid'?"),
        (["--config.model.depht=3"], "Did you mean 'depth'?"),
        (
            [
                "--config.model={'name': 'deeplab_v3', "
                "'backbone': {'name': 'resnet18', 'output_stride': 6}}"
            ],
            "output_stride=6 cannot be reached",
        ),
        (["--config.dataset.eval_split=vall"], "Did you mean 'val'"),
        (["--conf"], "is not understood"),
        (
            ["--config.dataset.name=camvid", "--config.dataset.data_dir=nowhere"],
            "launch.py prepare",
        ),
    ],
)
def test_a_mistake_is_one_sentence(start, tmp_path, arguments, sentence):
    code, _, err = finish(start(*TRAIN, f"--workdir={tmp_path / 'w'}", *arguments))
    assert code == 2, err
    assert sentence in err
    assert "Traceback" not in err
    assert not (tmp_path / "w" / "metrics.jsonl").exists()


@pytest.mark.parametrize("arguments", [["--help"], ["list", "--config=experiment.py"]])
def test_help_and_list_do_without_jax(start, folder, arguments):
    code, out, err = finish(start(*arguments))
    assert code == 0, err
    assert "U-Net" in out or "sweep" in out
    probe = (
        "import sys, launch; sys.argv[1:] = []\n"
        f"try: launch.main({arguments!r})\nexcept SystemExit: pass\n"
        "heavy = {'jax', 'flax', 'tensorflow_datasets', 'matplotlib'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", probe],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "heavy: []" in found.stdout
