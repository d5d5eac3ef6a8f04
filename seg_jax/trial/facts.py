"""What a result says beside its scores: what was trained, on what, at what cost."""

import collections
import importlib.metadata
import subprocess
from pathlib import Path
from typing import Any

import jax
import numpy as np

from seg_jax.assemble import Task
from seg_jax.config import Config, to_dict
from seg_jax.cores import count_cores
from seg_jax.data.example import Source
from seg_jax.describe import count_flops, count_parameters
from seg_jax.logs.metrics_log import read_metrics
from seg_jax.train.progress import Timing

PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy", "grain")


def network_facts(task: Task, params: Any, source: Source) -> dict[str, Any]:
    """Returns what tables say of a network: its names, its size, its cost on this split."""
    config, spec = task.config, task.spec
    size = _most_frequent_size(source)
    return {
        "experiment": config.experiment,
        "label": config.label or config.model.name,
        "seed": config.seed,
        "weights": config.weights.name,
        "classes": list(spec.classes),
        "palette": [list(colour) for colour in spec.palette],
        "num_parameters": count_parameters(params),
        "flops": count_flops(task.model, size),
        "image_size": list(size),
    }


def training_facts(task: Task, timing: Timing, workdir: Path) -> dict[str, Any]:
    """Returns what training cost and on what; times span every process of a resumed trial."""
    config: Config = task.config
    rows = [row for row in read_metrics(workdir / "metrics.jsonl") if "loss" in row]
    speeds = [row["images_per_second"] for row in rows if row["images_per_second"]]
    return {
        "uid": workdir.name,
        "config": to_dict(config),
        "num_steps": config.train.num_steps,
        "global_batch_size": config.train.batch_size,
        # What batch normalisation took its statistics of: gradients add up, they do not.
        "norm_batch_size": config.train.batch_size // task.micro_batches,
        "train_seconds": rows[-1]["seconds"],
        "compile_seconds": timing.compile_seconds,
        "images_per_second": float(np.median(speeds)) if speeds else timing.images_per_second,
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "hardware": {
            "backend": jax.default_backend(),
            "device": jax.devices()[0].device_kind,
            "num_devices": jax.device_count(),
            "num_processes": jax.process_count(),
            "num_cpus": count_cores(),
        },
        "commit": _commit(),
    }


def _most_frequent_size(source: Source) -> tuple[int, int]:
    """Returns the (height, width) that most examples have; of several, the one met first."""
    counts = collections.Counter(map(source.size, range(len(source))))
    return counts.most_common(1)[0][0]


def _commit() -> str:
    """Returns the checkout's commit, marked where files differ from it; "" outside git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--match="]
    try:
        folder = Path(__file__).parent
        found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return found.stdout.strip()
