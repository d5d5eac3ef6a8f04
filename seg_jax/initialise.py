"""Random initial variables of a model, in a second instead of the compiler's ten.

`jax.jit(model.init)` compiles a random generator for every kernel shape, and `model.init`
runs the whole network. Here the network is only traced; of the traced program, the part that
the variables depend on is then run step by step, and `layers.init.draw_normal` is replaced by
NumPy. So every parameter starts as its own initialiser says, and the values depend on the
seed and on the parameter's path in the model alone: not on devices, not on the image size.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Jaxpr, Literal

from seg_jax.layers.init import DRAW_NORMAL


def initialise(model: nn.Module, image_shape: tuple[int, int, int, int], seed: int) -> Any:
    """Returns the variables of `model`, {"params": ..., "batch_stats": ...}, as NumPy arrays.

    Args:
        model: called as `model(image, train=False)`.
        image_shape: [b, h, w, 3] of any image the model accepts; a small one traces faster.
        seed: variables are a pure function of it.
    """

    def init(key):
        return model.init(key, jnp.zeros(image_shape, jnp.float32), train=False)

    # On the host, whatever the accelerators: low bits of the fold-ins cannot differ then.
    with jax.default_device(jax.local_devices(backend="cpu")[0]):
        key = jax.random.key(seed)
        traced, shapes = jax.make_jaxpr(init, return_shape=True)(key)
        leaves = _evaluate(traced.jaxpr, traced.consts, [key])
        leaves = [np.asarray(leaf) for leaf in leaves]
    return jax.tree.unflatten(jax.tree.structure(shapes), leaves)


def _evaluate(jaxpr: Jaxpr, consts: list, arguments: list) -> list:
    """Runs what the outputs of `jaxpr` depend on, drawing normals with NumPy."""
    needed = {var for var in jaxpr.outvars if not isinstance(var, Literal)}
    equations = []
    for equation in reversed(jaxpr.eqns):
        if needed.intersection(equation.outvars):
            needed.update(var for var in equation.invars if not isinstance(var, Literal))
            equations.append(equation)

    values = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *arguments], strict=True))

    def read(var):
        return var.val if isinstance(var, Literal) else values[var]

    for equation in reversed(equations):
        inputs = [read(var) for var in equation.invars]
        if equation.params.get("name") == DRAW_NORMAL:
            key, std = inputs
            outputs = [_draw_with_numpy(key, std, equation.outvars[0].aval)]
        else:
            outputs = equation.primitive.bind(*inputs, **equation.params)
            outputs = outputs if equation.primitive.multiple_results else [outputs]
        values.update(zip(equation.outvars, outputs, strict=True))
    return [read(var) for var in jaxpr.outvars]


def _draw_with_numpy(key, std, aval) -> np.ndarray:
    words = np.asarray(jax.random.key_data(key)).tolist()
    random = np.random.Generator(np.random.PCG64(words))
    return np.float32(std) * random.standard_normal(aval.shape, dtype=np.float32)
