"""A synthetic sweep folder, made by the code that makes real ones."""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from seg_jax.sweeps.plan import make_plan
from seg_jax.sweeps.status import Status, write_status
from seg_jax.sweeps.store import store_plan

CLASSES = ["background", "disk & <ring>", "pole_50%", "never"]
PALETTE = [[10, 20, 30], [200, 40, 40], [40, 200, 40], [40, 40, 200]]
LABELS = ("fcn8s", "u_net <b>&50%$x$", "deeplab_v3")
IGNORED = 255


def miou(label: str, seed: int) -> float:
    """What the synthetic trial scored: the oracle recomputes tables from this."""
    return 0.5 + 0.1 * LABELS.index(label) + 0.01 * seed * (1 + LABELS.index(label))


def make_result(label: str, seed: int, uid: str) -> dict:
    score = miou(label, seed)
    return {
        "experiment": "toy",
        "uid": uid,
        "label": label,
        "seed": seed,
        "overrides": {"label": label, "seed": seed},
        "dataset": "scenes",
        "split": "val",
        "weights": "",
        "classes": CLASSES,
        "palette": PALETTE,
        "metrics": {
            "miou": score,
            "pixel_accuracy": score + 0.2,
            "mean_accuracy": score + 0.1,
            "frequency_weighted_iou": score + 0.15,
            "iou_per_class": {
                CLASSES[0]: score + 0.1,
                CLASSES[1]: score,
                CLASSES[2]: score - 0.1 if seed else None,
                CLASSES[3]: None,
            },
        },
        "boundary_miou": {"2": score - 0.2, "4": score - 0.1, "16": score - 0.05},
        "probes": [
            {
                "factor": "size",
                "unit": "px",
                "description": "Diameter of <one> disk.",
                "classes": [CLASSES[1]],
                "levels": [6, 12, 24],
                "miou": [score - 0.3, score, None],
            }
        ],
        "num_parameters": 1_234_567 * (1 + LABELS.index(label)),
        "flops": 2_500_000_000,
        "image_size": [24, 32],
        "num_steps": 40,
        "global_batch_size": 8,
        "num_eval_images": 5,
        "train_seconds": 90.0 + seed,
        "compile_seconds": 3.0,
        "images_per_second": 50.0,
        "inference_images_per_second": 100.0 + LABELS.index(label),
        "versions": {"jax": "0.10.2"},
        "hardware": {"backend": "cpu", "device": "cpu", "num_devices": 1, "num_cpus": 2},
        "commit": "abc123",
    }


def make_predictions(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    image = np.random.default_rng(99).integers(0, 256, (2, 24, 32, 3), dtype=np.uint8)
    label = np.zeros((2, 24, 32), np.uint8)
    label[:, 6:18, 8:24] = 1
    label[:, :3] = IGNORED
    prediction = np.where(rng.random(label.shape) < 0.1, 2, np.minimum(label, 2)).astype(np.uint8)
    arrays = {"id": np.array(["a", "b"])}
    for i in range(2):
        arrays |= {f"image_{i}": image[i], f"label_{i}": label[i], f"prediction_{i}": prediction[i]}
    return arrays


def write_metrics(folder: Path, seed: int) -> None:
    rows = [
        {"step": s, "loss": 2 * math.exp(-s / 20) + 0.01 * seed, "learning_rate": 0.1}
        for s in range(2, 41, 2)
    ]
    rows += [{"step": s, "miou": s / 80 + 0.01 * seed} for s in (20, 40)]
    # The last line is torn, as a killed trial leaves it.
    text = "\n".join(json.dumps(row) for row in rows) + '\n{"step": 42, "lo'
    (folder / "metrics.jsonl").write_text(text)


@pytest.fixture
def make_sweep(tmp_path):
    """Returns a function that makes a sweep folder; every trial in it is done."""

    def make(labels=LABELS, seeds=2, *, predictions=True, results=True) -> Path:
        workdir = tmp_path / "toy"
        workdir.mkdir()
        base = {
            "label": "",
            "seed": 0,
            "dataset": {"name": "scenes", "eval_split": "val"},
            "model": {"name": ""},
            "train": {"num_steps": 40},
        }
        overrides = [
            {"label": label, "model": {"name": label}, "seed": seed}
            for seed in range(seeds)
            for label in labels
        ]
        plan = make_plan("toy", base, overrides, lambda config, change: {**config, **change})
        store_plan(workdir, plan)
        for trial in plan.trials:
            folder = workdir / trial.uid
            folder.mkdir()
            (folder / "config.json").write_text(json.dumps(trial.config))
            if not results:
                continue
            result = make_result(trial.label, trial.config["seed"], trial.uid)
            (folder / "result.json").write_text(json.dumps(result))
            write_metrics(folder, trial.config["seed"])
            write_status(folder, Status(state="done", step=40, num_steps=40))
            if predictions:
                np.savez(folder / "predictions.npz", **make_predictions(trial.config["seed"]))
        return workdir

    return make


@pytest.fixture
def folder_of():
    """Returns a function (workdir, label, seed) -> the folder of that trial."""

    def find(workdir: Path, label: str, seed: int) -> Path:
        for entry in json.loads((workdir / "plan.json").read_text())["trials"]:
            if entry["label"] == label and entry["config"]["seed"] == seed:
                return workdir / entry["uid"]
        raise LookupError(label)

    return find


@pytest.fixture
def toy():
    """What the synthetic sweep holds, for the tests to compute their own answers from."""
    return SimpleNamespace(labels=LABELS, classes=CLASSES, palette=PALETTE, miou=miou)
