"""Counts what papers print in their tables: parameters and floating-point operations."""

import dataclasses
import functools
import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn
from jax.interpreters.partial_eval import dce_jaxpr

from seg_jax.layers.adaptive_pool import POOL_ADAPTIVE
from seg_jax.layers.lowering import use_lowering
from seg_jax.layers.resize import RESIZE_BILINEAR


@dataclasses.dataclass(frozen=True)
class Description:
    """What `describe` finds out about a network.

    Attributes:
        parameters: numbers that are trained.
        flops: see `count_flops`.
        xla_flops: see `estimate_flops`.
        size: (height, width) of the image that both are for.
    """

    parameters: int
    flops: int
    xla_flops: float
    size: tuple[int, int]


def describe(model: nn.Module, image_size: tuple[int, int]) -> Description:
    """Describes a network for an image of (height, width) without allocating its weights."""
    image = jax.ShapeDtypeStruct((1, *image_size, 3), jnp.float32)
    init = functools.partial(model.init, train=False)
    params = jax.eval_shape(init, jax.random.key(0), image)["params"]
    return Description(
        count_parameters(params),
        count_flops(model, image_size),
        estimate_flops(model, image_size),
        image_size,
    )


def count_parameters(params: Any) -> int:
    """Returns how many numbers are trained; batch statistics are not among them."""
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params))


def count_flops(model: nn.Module, image_size: tuple[int, int]) -> int:
    """Returns the FLOPs of an evaluation pass on one image of (height, width) `image_size`.

    Two per multiply-add of the convolutions and matrix products with learned kernels, taps in
    the padding included: the number that papers and PyTorch's counters state, twice "GMAC".
    Resizing, normalisation, activations and pooling are left out. The count belongs to the
    network: it does not depend on the form in which convolutions are compiled, nor on how
    resizing and pooling are computed.

    Args:
        model: called as `model(image, train=False)`.
        image_size: (height, width) in pixels.
    """
    image = jax.ShapeDtypeStruct((1, *image_size, 3), jnp.float32)
    with use_lowering("lax"):
        init = functools.partial(model.init, train=False)
        variables = jax.eval_shape(init, jax.random.key(0), image)
        apply = functools.partial(model.apply, train=False)
        jaxpr = jax.make_jaxpr(apply)(variables, image).jaxpr
    # Layers whose result no output reads, as compilers drop them.
    used, _ = dce_jaxpr(jaxpr, [True] * len(jaxpr.outvars))
    return _flops(used)


def estimate_flops(model: nn.Module, image_size: tuple[int, int]) -> float:
    """Returns what XLA's cost analysis says of the same pass, before compiling it.

    It counts every operation, elementwise ones and resizing among them, and of convolutions
    only the taps that meet the image: at large atrous rates on small maps far fewer than
    `count_flops`.

    Args:
        model: called as `model(image, train=False)`.
        image_size: (height, width) in pixels.
    """
    image = jax.ShapeDtypeStruct((1, *image_size, 3), jnp.float32)
    with use_lowering("lax"):
        init = functools.partial(model.init, train=False)
        variables = jax.eval_shape(init, jax.random.key(0), image)
        lowered = jax.jit(functools.partial(model.apply, train=False)).lower(variables, image)
        costs: Any = lowered.cost_analysis()
    return float(costs["flops"])


def _flops(jaxpr: Jaxpr) -> int:
    return sum(_flops_of_equation(equation) for equation in jaxpr.eqns)


def _flops_of_equation(equation: JaxprEqn) -> int:
    if equation.params.get("name") in (RESIZE_BILINEAR, POOL_ADAPTIVE):
        return 0
    if equation.primitive.name == "conv_general_dilated":
        return _conv_flops(equation)
    if equation.primitive.name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        left, outputs = _shape(equation.invars[0]), _shape(equation.outvars[0])
        return 2 * math.prod(outputs) * math.prod(left[axis] for axis in contracted)
    inner = sum(_flops(jaxpr) for jaxpr in _inner_jaxprs(equation))
    return inner * equation.params["length"] if equation.primitive.name == "scan" else inner


def _conv_flops(equation: JaxprEqn) -> int:
    inputs, kernel = map(_shape, equation.invars)
    outputs, spec = _shape(equation.outvars[0]), equation.params["dimension_numbers"]
    if any(dilation > 1 for dilation in equation.params["lhs_dilation"]):
        # A transposed convolution: every input cell meets every tap; the zeros are not counted.
        return 2 * math.prod(inputs) * math.prod(kernel) // kernel[spec.rhs_spec[1]]
    return 2 * math.prod(outputs) * math.prod(kernel) // kernel[spec.rhs_spec[0]]


def _shape(var: Any) -> tuple[int, ...]:
    return var.aval.shape


def _inner_jaxprs(equation: JaxprEqn) -> list[Jaxpr]:
    """Returns the functions an equation calls: bodies of jit, custom_jvp, scan, remat, cond."""
    values = []
    for value in equation.params.values():
        values.extend(value if isinstance(value, tuple | list) else [value])
    closed = [value.jaxpr if isinstance(value, ClosedJaxpr) else value for value in values]
    return [value for value in closed if isinstance(value, Jaxpr)]
