"""What every registered backbone promises, at widths that run in a second."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.backbones import BACKBONES
from seg_jax.layers.lowering import use_lowering
from seg_jax.layers.norm import batch_norm
from seg_jax.registry import resolve

_RESNET = {"width": 4, "stage_sizes": (1, 1, 2, 2)}
_XCEPTION = {"width": 0.02, "middle_blocks": 1}
SMALL = {
    "mobilenet_v2": {"width": 0.1, "last_features": 16},
    "mobilenet_v3_large": {"width": 0.3},
    "mobilenet_v3_small": {"width": 0.3},
    "resnet18": _RESNET,
    "resnet34": _RESNET,
    "resnet50": _RESNET,
    "resnet101": _RESNET,
    "vgg16": {"width": 0.125},
    "xception41": _XCEPTION,
    "xception65": _XCEPTION,
    "xception71": _XCEPTION,
}
# Depth apart, these are the same code as another entry: their shapes are tested, at full size.
DISTINCT = sorted(BACKBONES.keys() - {"resnet34", "resnet101", "xception65"})

VARIANTS = {
    "mobilenet_v2 as in DeepLab": ("mobilenet_v2", {"last_features": None}),
    "resnet50 of Caffe": ("resnet50", {"stride_on": "1x1"}),
    "resnet50 with a deep stem": ("resnet50", {"stem": "3x3"}),
    "resnet50 with a multi-grid": ("resnet50", {"multi_grid": (1, 2)}),
    "vgg16 of DeepLab": ("vgg16", {"pool_window": 3}),
    "vgg16 with norms": ("vgg16", {"batch_norm": True}),
} | {name: (name, {}) for name in DISTINCT}
"""Test name -> a backbone, and fields that change how it samples."""

STRIDES = (2, 4, 8, 16, 32)


def constructor(name):
    return resolve(name, BACKBONES, kind="backbone", field="config.model.backbone.name")


def small(name, **fields):
    return constructor(name)(norm=batch_norm(train=False), **{**SMALL[name], **fields})


def random_variables(backbone, image):
    """Draws every leaf, so that no norm is the identity and no bias is zero."""
    random = np.random.RandomState(0)

    def draw(path, leaf):
        values = random.randn(*leaf.shape).astype(np.float32)
        if leaf.ndim == 4:
            return values * np.sqrt(2 / np.prod(leaf.shape[:3]))
        name = path[-1].key
        return 1 + 0.2 * np.abs(values) if name in ("var", "scale") else 0.2 * values

    shapes = jax.eval_shape(backbone.init, jax.random.key(0), image)
    return jax.tree_util.tree_map_with_path(draw, shapes)


def with_constant_gates(variables):
    """Cuts squeeze-and-excitation off its means, which a denser map does not keep."""

    def cut(path, leaf):
        names = [key.key for key in path]
        gated = "squeeze_excite" in names and names[-2:] == ["expand", "kernel"]
        return np.zeros_like(leaf) if gated else leaf

    return jax.tree_util.tree_map_with_path(cut, variables)


def draw_image(*shape):
    return jnp.asarray(np.random.RandomState(1).randn(*shape, 3), jnp.float32)


@pytest.mark.parametrize(("output_stride", "size"), [(8, (65, 97)), (16, (64, 96)), (32, (47, 33))])
@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_keys_are_strides(name, output_stride, size):
    backbone = constructor(name)(norm=batch_norm(train=False), output_stride=output_stride)
    image = jax.ShapeDtypeStruct((2, *size, 3), jnp.float32)
    features, _ = jax.eval_shape(backbone.init_with_output, jax.random.key(0), image)
    assert max(features) == output_stride
    assert sorted(features) == [stride for stride in (2, 4, 8, 16, 32) if stride <= output_stride]
    for stride, x in features.items():
        assert x.shape[:3] == (2, *(-(-side // stride) for side in size))
        assert x.dtype == jnp.float32


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_parameters_do_not_depend_on_the_output_stride(name):
    image = draw_image(1, 32, 32)
    coarse, dense = (
        jax.eval_shape(small(name, output_stride=stride).init, jax.random.key(0), image)
        for stride in (32, 8)
    )
    assert coarse == dense


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_denser_form_subsampled_equals_the_strided_one(variant):
    name, fields = VARIANTS[variant]
    image = draw_image(1, 49, 67)
    variables = with_constant_gates(random_variables(small(name, **fields), image))
    # The stem of a ResNet and its pooling have a stride of 4 that nothing removes.
    strides = STRIDES[1:] if name.startswith("resnet") else STRIDES

    @functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    def run(variables, image):
        maps = {}
        for stride in strides:
            fine = small(name, output_stride=stride, **fields).apply(variables, image)[stride]
            maps[stride] = fine[:, :: 32 // stride, :: 32 // stride]
        return maps

    # Every form of a convolution is tested on its own; XLA's compiles faster.
    with use_lowering("lax"):
        maps = run(variables, image)
    expected = maps[32]
    for stride in strides[:-1]:
        np.testing.assert_allclose(
            maps[stride], expected, atol=3e-5 * float(jnp.abs(expected).max()), err_msg=str(stride)
        )


@pytest.mark.parametrize("name", DISTINCT)
def test_bfloat16_images_give_bfloat16_features(name):
    image = draw_image(1, 33, 49)
    variables = random_variables(small(name), image)

    @functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    def run(variables, image):
        apply = small(name).apply
        return apply(variables, image), apply(variables, image.astype(jnp.bfloat16))

    for full, half in zip(*(features.values() for features in run(variables, image)), strict=True):
        assert full.dtype == jnp.float32
        assert half.dtype == jnp.bfloat16
        error = jnp.abs(full - half.astype(jnp.float32)).mean() / jnp.abs(full).mean()
        assert float(error) < 0.2


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_an_image_of_one_pixel_has_one_cell_at_every_stride(name):
    image = jax.ShapeDtypeStruct((1, 1, 1, 3), jnp.float32)
    features, _ = jax.eval_shape(small(name).init_with_output, jax.random.key(0), image)
    assert {x.shape[1:3] for x in features.values()} == {(1, 1)}


@pytest.mark.parametrize("name", DISTINCT)
def test_gradient_reaches_every_parameter(name):
    image = draw_image(2, 48, 49)
    backbone = small(name, output_stride=8)
    variables = random_variables(backbone, image)

    def loss(params):
        features = backbone.apply({**variables, "params": params}, image)
        return sum(jnp.sum(x**2) for x in features.values())

    with use_lowering("lax"):
        gradients = jax.jit(jax.grad(loss))(variables["params"])
    for path, gradient in jax.tree_util.tree_leaves_with_path(gradients):
        assert np.isfinite(gradient).all(), path
        assert np.abs(gradient).max() > 0, path


@pytest.mark.parametrize("name", DISTINCT)
def test_images_of_a_batch_do_not_see_each_other(name):
    image = draw_image(2, 33, 40)
    backbone = small(name)
    variables = random_variables(backbone, image)
    apply = jax.jit(backbone.apply)
    together, other = apply(variables, image), apply(variables, image.at[1].set(7.0))
    for stride, x in together.items():
        np.testing.assert_array_equal(x[0], other[stride][0])
        assert float(jnp.abs(x[1] - other[stride][1]).max()) > 0


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_stages_end_with_the_features(name):
    image = draw_image(1, 32, 32)
    backbone = small(name, output_stride=8)
    variables = random_variables(backbone, image)
    strides = []

    def run(variables, image):
        stages = backbone.apply(variables, image, method="stages")
        strides.extend(stride for stride, _ in stages)
        return [x for _, x in stages]

    shapes = [x.shape for x in jax.eval_shape(run, variables, image)]
    assert strides == sorted(strides)
    assert strides.count(8) > 1  # several stages of the last stride, for auxiliary heads
    features = jax.eval_shape(backbone.apply, variables, image)
    expected = {stride: x.shape for stride, x in features.items()}
    assert dict(zip(strides, shapes, strict=True)) == expected
