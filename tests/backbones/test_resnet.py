"""ResNet: published sizes, and each field that changes how it samples."""

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.backbones.resnet import resnet18, resnet34, resnet50, resnet101
from seg_jax.describe import count_parameters
from seg_jax.layers.lowering import use_lowering
from seg_jax.layers.norm import batch_norm

IMAGE = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)


def shapes_of(constructor, **fields):
    backbone = constructor(norm=batch_norm(train=False), **fields)
    return jax.eval_shape(backbone.init, jax.random.key(0), IMAGE)


def conv_rates_and_strides(constructor, **fields):
    """Returns (rate, stride) of every 3x3 convolution in order of execution, from the trace."""
    backbone = constructor(norm=batch_norm(train=False), **fields)
    variables = shapes_of(constructor, **fields)
    with use_lowering("lax"):
        traced = jax.make_jaxpr(backbone.apply)(variables, IMAGE)
    pairs = []
    for equation in traced.jaxpr.eqns:
        if equation.primitive.name == "conv_general_dilated":
            kernel = equation.invars[1].aval.shape
            if kernel[0] == 3:
                rate, stride = equation.params["rhs_dilation"], equation.params["window_strides"]
                pairs.append((rate[0], stride[0]))
    return pairs


@pytest.mark.parametrize(
    ("constructor", "published"),
    [
        (resnet18, 11_689_512 - 513_000),
        (resnet34, 21_797_672 - 513_000),
        (resnet50, 25_557_032 - 2_049_000),
        (resnet101, 44_549_160 - 2_049_000),
    ],
)
def test_parameters_are_as_published_less_the_classifier(constructor, published):
    assert count_parameters(shapes_of(constructor)["params"]) == published


def test_the_last_stages_of_an_atrous_resnet50():
    pairs = conv_rates_and_strides(resnet50, output_stride=8)
    assert pairs[:7] == [(1, 1)] * 3 + [(1, 2)] + [(1, 1)] * 3
    # The convolution that lost its stride keeps the rate of the stage before.
    assert pairs[7:] == [(1, 1)] + [(2, 1)] * 5 + [(2, 1)] + [(4, 1)] * 2


def test_stride_on_the_1x1_gives_every_3x3_the_new_rate():
    pairs = conv_rates_and_strides(resnet50, output_stride=8, stride_on="1x1")
    assert pairs == [(1, 1)] * 7 + [(2, 1)] * 6 + [(4, 1)] * 3


def test_entries_can_take_the_new_rate():
    pairs = conv_rates_and_strides(resnet50, output_stride=16, entry_keeps_rate=False)
    assert pairs[-4:] == [(1, 1)] + [(2, 1)] * 3


def test_multi_grid_multiplies_the_rates_of_the_last_stage():
    pairs = conv_rates_and_strides(resnet50, output_stride=16, multi_grid=(1, 2, 4))
    assert pairs[-4:] == [(1, 1), (1, 1), (4, 1), (8, 1)]


def test_multi_grid_of_another_length_is_refused():
    with pytest.raises(ValueError, match=re.escape("multi_grid=(1, 2, 4) has 3 factors")):
        shapes_of(resnet18, multi_grid=(1, 2, 4))


def test_deep_stem_has_three_convolutions():
    params = shapes_of(resnet50, stem="3x3", stem_width=128)["params"]
    kernels = [params[f"stem{i}"]["conv"]["kernel"].shape for i in (1, 2, 3)]
    assert kernels == [(3, 3, 3, 64), (3, 3, 64, 64), (3, 3, 64, 128)]
    assert params["stage1_block1"]["conv1"]["conv"]["kernel"].shape == (1, 1, 128, 64)


def test_cascaded_stages_go_on_doubling_the_rate():
    fields = {"cascaded_stages": 3, "multi_grid": (1, 2, 1)}
    pairs = conv_rates_and_strides(resnet50, output_stride=16, **fields)
    # Stage 4 in front of them enters at rate 1; each one enters at the rate of the one before.
    expected = [(1, 1), (4, 1), (2, 1)]
    for rate in (2, 4, 8):
        expected += [(rate, 1), (4 * rate, 1), (2 * rate, 1)]
    assert pairs[-12:] == expected
    strided = conv_rates_and_strides(resnet50, output_stride=256, cascaded_stages=3)
    assert strided[-9:] == [(1, 2), (1, 1), (1, 1)] * 3


def test_cascaded_stages_are_copies_of_the_fourth():
    params = shapes_of(resnet50, cascaded_stages=3)["params"]
    for stage in (5, 6, 7):
        assert params[f"stage{stage}_block2"] == params["stage4_block2"]
        assert params[f"stage{stage}_block1"]["conv1"]["conv"]["kernel"].shape == (1, 1, 2048, 512)


@pytest.mark.parametrize(("coarse", "dense"), [(256, 16), (64, 8)])
def test_cascaded_dense_features_subsampled_equal_strided_ones(coarse, dense):
    fields = {"width": 2, "stage_sizes": (1, 1, 1, 2), "cascaded_stages": 3, "multi_grid": (1, 2)}
    image = jnp.asarray(np.random.RandomState(0).randn(1, 300, 270, 3), jnp.float32)

    def backbone(output_stride):
        return resnet50(norm=batch_norm(train=False), output_stride=output_stride, **fields)

    shapes = jax.eval_shape(backbone(dense).init, jax.random.key(0), image)
    random = np.random.RandomState(1)
    variables = jax.tree.map(
        lambda leaf: np.float32(np.abs(random.randn(*leaf.shape)) * 0.3 + 0.1), shapes
    )

    @functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    def run(variables, image):
        fine = backbone(dense).apply(variables, image)[dense]
        return fine[:, :: coarse // dense, :: coarse // dense], backbone(coarse).apply(
            variables, image
        )[coarse]

    with use_lowering("lax"):
        actual, expected = run(variables, image)
    np.testing.assert_allclose(actual, expected, rtol=1e-4)


def test_stage_rates_come_on_top_of_the_strides():
    pairs = conv_rates_and_strides(resnet50, stage_rates=(1, 1, 2, 4))
    assert pairs[7:] == [(1, 2)] + [(2, 1)] * 5 + [(2, 2)] + [(4, 1)] * 2


def test_stage_rates_are_one_per_stage():
    with pytest.raises(ValueError, match=re.escape("stage_rates=(1, 2) is not one factor")):
        shapes_of(resnet18, stage_rates=(1, 2))


@pytest.mark.parametrize(("size", "expected"), [(64, 17), (65, 17), (68, 18)])
def test_caffes_pooling_rounds_up(size, expected):
    backbone = resnet18(norm=batch_norm(train=False), ceil_pool=True)
    image = jax.ShapeDtypeStruct((1, size, size, 3), jnp.float32)
    features, _ = jax.eval_shape(backbone.init_with_output, jax.random.key(0), image)
    assert features[4].shape[1:3] == (expected, expected)
