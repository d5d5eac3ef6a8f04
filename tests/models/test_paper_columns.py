"""Multiply-adds against the columns that papers print."""

import functools
import math

import jax
import jax.numpy as jnp
import pytest

from seg_jax.layers.lowering import use_lowering
from seg_jax.models.build import build_model

RATES = {16: (6, 12, 18), 8: (12, 24, 36)}
RESNET_BETA = {"name": "resnet101", "stem": "3x3", "stem_width": 128, "multi_grid": (1, 2, 4)}


def network(backbone, output_stride, **fields):
    return {
        "atrous_rates": RATES[output_stride],
        "backbone": {**backbone, "output_stride": output_stride},
        **fields,
    }


XCEPTION = functools.partial(network, {"name": "xception65"})
DEEPLAB_V3 = {"name": "deeplab_v3"}
DECODER = {"name": "deeplab_v3plus", "separable": False}
SEPARABLE = {"name": "deeplab_v3plus", "separable": True}

PRINTED = {
    "table 5, X-65 at 16": (XCEPTION(16, **DEEPLAB_V3), 68.00),
    "table 5, X-65 at 16, decoder": (XCEPTION(16, **DECODER), 89.76),
    "table 5, X-65 at 16, decoder, separable": (XCEPTION(16, **SEPARABLE), 54.17),
    "table 5, X-65 at 8": (XCEPTION(8, **DEEPLAB_V3), 240.85),
    "table 5, X-65 at 8, decoder": (XCEPTION(8, **DECODER), 262.59),
    "table 3, ResNet-101 at 8": (network(RESNET_BETA, 8, **DEEPLAB_V3), 276.18),
    "table 3, ResNet-101 at 8, decoder": (network(RESNET_BETA, 8, **DECODER), 297.92),
}
"""Row of DeepLabv3+ (arXiv:1802.02611) -> section, printed multiply-adds in billions.

Rows of ResNet-101 at strides 16 and 32 are not among them: the authors' ResNet strides at the end
of a stage (arXiv:1706.05587, section 3.2.1), which makes it 2 and 6% cheaper there.
"""


@pytest.mark.parametrize("row", PRINTED)
def test_multiply_adds_are_those_of_deeplab_v3plus(row, equations):
    """The paper's profiler saw each atrous convolution on a map padded to a multiple of its rate.

    TensorFlow computed it on every `rate`-th cell of such a map; at rate 36 on 65 cells that is a
    quarter more than the network itself takes.
    """
    section, printed = PRINTED[row]
    model = build_model(section, num_classes=21, axis=None)
    image = jax.ShapeDtypeStruct((1, 513, 513, 3), jnp.float32)
    with use_lowering("lax"):
        init = functools.partial(model.init, train=False)
        variables = jax.eval_shape(init, jax.random.key(0), image)
        traced = jax.make_jaxpr(functools.partial(model.apply, train=False))(variables, image)
    total = 0.0
    for equation in equations(traced.jaxpr):
        if equation.primitive.name != "conv_general_dilated":
            continue
        kernel, (_, height, width, features) = (
            equation.invars[1].aval.shape,
            equation.outvars[0].aval.shape,
        )
        rate = equation.params["rhs_dilation"][0]
        height, width = (math.ceil(side / rate) * rate for side in (height, width))
        total += height * width * features * math.prod(kernel[:3])
    assert abs(total / 1e9 - printed) < 0.01 * printed
