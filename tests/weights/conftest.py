"""Weights that are a pure function of a state dict's keys and shapes.

Each golden file in tests/golden/parity holds the logits that a reference implementation gave,
in float64, under these weights and for this input. Nothing else of it is needed.
"""

import functools
import hashlib

import jax
import numpy as np
import pytest

from seg_jax.layers.lowering import use_lowering


@functools.lru_cache(maxsize=512)  # consecutive networks of one library share their backbone
def keyed_tensor(key, shape):
    """Returns the tensor of a key: He-scaled kernels, plausible norms, drawn by its hash."""
    digest = hashlib.sha256(f"0:{key}".encode()).digest()[:4]
    # The legacy generator: its stream never changes.
    random = np.random.RandomState(int.from_bytes(digest, "little"))
    leaf = key.rpartition(".")[2]
    if leaf == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if leaf == "running_mean":
        values = 0.2 * random.randn(*shape)
    elif leaf == "running_var":
        values = 0.5 + random.rand(*shape)
    elif leaf == "bias":
        values = 0.1 * random.randn(*shape)
    elif leaf == "scale":
        values = -0.1 * random.rand(*shape)
    elif len(shape) <= 1:
        values = 0.4 + 0.6 * random.rand(*shape)
    else:
        values = random.randn(*shape) * np.sqrt(2.0 / np.prod(shape[1:]))
    return np.asarray(values, np.float32)


@pytest.fixture(scope="session")
def keyed_state():
    """Returns a function {key: shape} -> {key: tensor}."""
    return lambda spec: {key: keyed_tensor(key, tuple(shape)) for key, shape in spec.items()}


@pytest.fixture(scope="session")
def keyed_input():
    """Returns a function (height, width) -> image [1, h, w, 3]."""

    def draw(height, width):
        image = np.random.RandomState(1000).randn(1, 3, height, width)
        return image.transpose(0, 2, 3, 1).astype(np.float32)

    return draw


@pytest.fixture
def run_once():
    """Returns a function (apply, *arguments) -> result, quick to compile and slow to run."""

    def run(apply, *arguments):
        options = {"xla_backend_optimization_level": 0}
        with use_lowering("lax"):
            return jax.jit(apply, compiler_options=options)(*arguments)

    return run
