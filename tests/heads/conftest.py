"""Layers as plain NumPy loops, the oracles of the head tests, and a quick way to run a head."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest


@pytest.fixture
def convolve():
    """Returns a function (x, kernel, rate=1) -> zero-padded convolution, tap by tap."""

    def run(x, kernel, rate=1):
        x, kernel = np.asarray(x, np.float64), np.asarray(kernel, np.float64)
        (_, height, width, _), side = x.shape, kernel.shape[0]
        out = np.zeros((*x.shape[:3], kernel.shape[-1]))
        for row in range(height):
            for column in range(width):
                for i in range(side):
                    for j in range(side):
                        y = row + (i - side // 2) * rate
                        z = column + (j - side // 2) * rate
                        if 0 <= y < height and 0 <= z < width:
                            out[:, row, column] += x[:, y, z] @ kernel[i, j]
        return out

    return run


@pytest.fixture
def interpolate():
    """Returns a function (x, size) -> bilinear resizing with aligned corners, axis by axis."""

    def run(x, size):
        x = np.asarray(x, np.float64)
        for axis, cells in zip((1, 2), size, strict=True):
            old = np.arange(x.shape[axis])
            new = np.linspace(0, x.shape[axis] - 1, cells)
            x = np.apply_along_axis(lambda line: np.interp(new, old, line), axis, x)  # noqa: B023
        return x

    return run


@pytest.fixture
def image():
    """Returns a function (shape, seed) -> float32 normal numbers."""

    def draw(shape, seed=0):
        return np.random.RandomState(seed).randn(*shape).astype(np.float32)

    return draw


@pytest.fixture
def draw_params():
    """Returns a function (head, *inputs, **settings) -> random parameters, without compiling."""

    def draw(head, *inputs, **settings):
        init = functools.partial(head.init, **settings)
        shapes = jax.eval_shape(init, jax.random.key(0), *inputs)["params"]
        random = np.random.RandomState(0)
        return jax.tree.map(lambda leaf: jnp.asarray(random.randn(*leaf.shape), leaf.dtype), shapes)

    return draw


@pytest.fixture
def run():
    """Returns a function (head, params, *inputs, **settings) -> result, compiled in haste."""

    def call(head, params, *inputs, **settings):
        apply = functools.partial(head.apply, **settings)
        options = {"xla_backend_optimization_level": 0}
        return jax.jit(apply, compiler_options=options)({"params": params}, *inputs)

    return call
