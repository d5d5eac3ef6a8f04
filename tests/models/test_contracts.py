"""What every architecture promises; a new entry of MODELS needs a row in SECTIONS."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.initialise import initialise
from seg_jax.layers.lowering import use_lowering
from seg_jax.models import MODELS
from seg_jax.models.build import build_model

TINY = {"name": "tiny", "width": 4}
ASPP = {"atrous_rates": [1, 2], "head_features": 4}

AUX = {"aux": True, "aux_features": 4}

SECTIONS = {
    "deeplab_v1": {
        "name": "deeplab_v1",
        "fc_features": 6,
        "multi_scale": True,
        "multi_scale_features": 3,
        "backbone": {**TINY, "output_stride": 8},
    },
    "deeplab_v1 of one layer": {
        "name": "deeplab_v1",
        "fc_features": None,
        "backbone": {**TINY, "output_stride": 8},
    },
    "deeplab_v2": {
        "name": "deeplab_v2",
        "atrous_rates": [1, 2],
        "scales": [0.5, 0.75],
        "backbone": {**TINY, "output_stride": 8},
    },
    "deeplab_v2 over vgg": {
        "name": "deeplab_v2",
        "atrous_rates": [1, 2],
        "fc_features": 6,
        "backbone": {"name": "vgg16", "width": 0.06, "output_stride": 8, "pool_window": 3},
    },
    "deeplab_v3": {
        "name": "deeplab_v3",
        **ASPP,
        **AUX,
        "refine": True,
        "align_corners": False,
        "backbone": {**TINY, "output_stride": 8},
    },
    "deeplab_v3 cascaded": {
        "name": "deeplab_v3",
        "aspp": False,
        "backbone": {**TINY, "output_stride": 16},
    },
    "deeplab_v3plus": {
        "name": "deeplab_v3plus",
        **ASPP,
        **AUX,
        "low_level_features": 3,
        "backbone": {**TINY, "output_stride": 16},
    },
    "deeplab_v3plus dense": {
        "name": "deeplab_v3plus",
        **ASPP,
        "low_level_features": 3,
        "low_level_strides": [8, 4],
        "decoder_kernel_size": 1,
        "separable": False,
        "refine": True,
        "image_pooling": False,
        "project_kernel_size": 3,
        "backbone": {**TINY, "output_stride": 16},
    },
    "fastfcn": {
        "name": "fastfcn",
        **AUX,
        "head_features": 4,
        "jpu_features": 3,
        "backbone": TINY,
    },
    "fastfcn aspp": {
        "name": "fastfcn",
        "head": "aspp",
        **ASPP,
        "jpu_features": 3,
        "backbone": TINY,
    },
    "fastfcn psp": {
        "name": "fastfcn",
        "head": "psp",
        "head_features": 4,
        "bin_features": 3,
        "jpu_features": 3,
        "backbone": TINY,
    },
    "fastfcn encnet": {
        "name": "fastfcn",
        "head": "encnet",
        "head_features": 4,
        "jpu_features": 3,
        "backbone": TINY,
    },
    "encnet": {
        "name": "encnet",
        **AUX,
        "head_features": 4,
        "num_codes": 3,
        "lateral": True,
        "backbone": {**TINY, "output_stride": 8},
    },
    "lraspp": {"name": "lraspp", "head_features": 4, "backbone": {**TINY, "output_stride": 16}},
    "pspnet": {
        "name": "pspnet",
        **AUX,
        "head_features": 4,
        "backbone": {**TINY, "output_stride": 8},
    },
    "pspnet as in segmentation-models-pytorch": {
        "name": "pspnet",
        "head_features": 4,
        "norm_pooled": False,
        "bin_features": 4,
        "head_kernel_size": 1,
        "classifier_kernel_size": 3,
        "head_stride": 8,
        "backbone": {**TINY, "output_stride": 8},
    },
    "segnet": {"name": "segnet", "width": 0.06},
    "fcn_dilated": {
        "name": "fcn_dilated",
        **AUX,
        "head_features": 4,
        "num_convs": 2,
        "concat_input": True,
        "backbone": {**TINY, "output_stride": 8},
    },
    "fcn32s": {"name": "fcn32s", "fc_features": 8, "fc_kernel_size": 3, "backbone": TINY},
    "fcn16s": {"name": "fcn16s", "fc_features": 8, "fc_kernel_size": 3, "backbone": TINY},
    "fcn8s": {"name": "fcn8s", "fc_features": 8, "fc_kernel_size": 3, "backbone": TINY},
    "fcn8s as in the paper": {
        "name": "fcn8s",
        "fc_features": 4,
        "fixed_crops": True,
        "learned_upsampling": True,
        "backbone": {"name": "vgg16", "width": 0.04},
    },
    "unet": {"name": "unet", "base_features": 3, "depth": 2},
    "unet as in the paper": {
        "name": "unet",
        "base_features": 3,
        "depth": 2,
        "padded": False,
        "batch_norm": False,
    },
    "unet bilinear, over a backbone": {
        "name": "unet",
        "base_features": 2,
        "upsampling": "bilinear",
        "backbone": {**TINY, "output_stride": 8},
    },
    "unet as in mmsegmentation": {
        "name": "unet",
        **AUX,
        "base_features": 2,
        "depth": 2,
        "upsampling": "bilinear_conv",
        "refine": True,
        "bottom_dropout_rate": 0.5,
    },
}
"""Test name -> a small `model` section."""

NUM_CLASSES = 5
BATCH, HEIGHT, WIDTH = 3, 33, 49  # three images: the norm of a pooled cell needs more than two
IMAGE = (BATCH, HEIGHT, WIDTH, 3)


@functools.cache
def built(row):
    """Returns the model of a row; cached, for the tests of a row share compiled functions."""
    return build_model(SECTIONS[row], num_classes=NUM_CLASSES, axis=None)


@functools.cache
def variables_of(row):
    return initialise(built(row), (1, HEIGHT, WIDTH, 3), seed=0)


def outputs_shape(row, size, *, train):
    model = built(row)
    image = jax.ShapeDtypeStruct((2, *size, 3), jnp.float32)

    def run(variables, image):
        rngs = {"dropout": jax.random.key(0)}
        return model.apply(variables, image, train=train, rngs=rngs, mutable=["batch_stats"])[0]

    return jax.eval_shape(run, variables_of(row), image)


def images(seed):
    return jnp.asarray(np.random.RandomState(seed).randn(*IMAGE), jnp.float32)


def paths(tree):
    return {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree.leaves_with_path(tree)}


@pytest.fixture(params=SECTIONS)
def row(request):
    return request.param


@pytest.mark.parametrize("name", MODELS)
def test_every_architecture_has_a_row(name):
    assert name in {section["name"] for section in SECTIONS.values()}


@pytest.mark.parametrize(
    ("size", "train"), [((65, 49), False), ((64, 96), True), ((513, 513), False), ((1, 1), False)]
)
def test_logits_have_the_size_of_the_image(row, size, train):
    outputs = outputs_shape(row, size, train=train)
    maps = [outputs.logits, *outputs.aux.values()]
    assert bool(outputs.aux) == bool(SECTIONS[row].get("aux") or SECTIONS[row].get("scales"))
    assert all(each.shape == (2, *size, NUM_CLASSES) for each in maps)
    assert all(each.dtype == jnp.float32 for each in maps)


def test_a_training_pass_reaches_every_variable(row):
    model, variables = built(row), variables_of(row)
    rest = {name: tree for name, tree in variables.items() if name != "params"}

    # Quick to compile and slow to run: the numbers are the same, and they are needed once.
    @functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    def gradient(params, image, key):
        def loss(params):
            outputs, updated = model.apply(
                {"params": params, **rest},
                image,
                train=True,
                rngs={"dropout": key},
                mutable=["batch_stats"],
            )
            maps = [outputs.logits, *outputs.aux.values()]
            weights = jax.random.normal(jax.random.key(7), outputs.logits.shape)
            total = sum(jnp.sum(weights * jax.nn.log_softmax(each)) for each in maps)
            if outputs.presence is not None:
                total += jnp.sum(weights[:, 0, 0] * outputs.presence)
            return total, updated

        return jax.grad(loss, has_aux=True)(params)

    with use_lowering("lax"):
        gradients, updated = gradient(variables["params"], images(0), jax.random.key(1))
    for path, value in paths(gradients).items():
        assert np.isfinite(value).all(), path
        assert np.abs(value).max() > 1e-6, path
    before = paths(variables.get("batch_stats", {}))
    after = paths(updated.get("batch_stats", {}))
    assert before.keys() == after.keys()
    plain_vgg = SECTIONS[row].get("backbone", {}).get("name") == "vgg16"
    assert bool(before) == (SECTIONS[row].get("batch_norm", True) and not plain_vgg)
    for path, value in after.items():
        assert np.isfinite(value).all(), path
        # Means may stay at zero: that of a linear map of what another norm has centred.
        assert "mean" in path or np.abs(value - before[path]).max() > 1e-6, path


def test_an_image_is_evaluated_on_its_own_by_a_function_compiled_once(row):
    model, variables, traces = built(row), variables_of(row), []

    @functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    def logits(variables, image):
        traces.append(image.shape)
        return model.apply(variables, image, train=False).logits

    first, second = images(0), images(1).at[2].set(images(0)[2])
    actual, expected = logits(variables, second), logits(variables, first)
    np.testing.assert_array_equal(actual[2], expected[2])
    assert not np.allclose(actual[0], expected[0], atol=1e-3)
    assert traces == [IMAGE]


def test_bfloat16_computes_nearly_the_same_and_keeps_float32_outside(row, equations):
    model, variables = built(row).clone(dtype="bfloat16"), variables_of(row)
    image = images(0)
    with use_lowering("lax"):
        apply = functools.partial(model.apply, train=False)
        kernels = [
            equation.invars[1].aval.dtype
            for equation in equations(jax.make_jaxpr(apply)(variables, image).jaxpr)
            if equation.primitive.name == "conv_general_dilated"
        ]
        options = {"xla_backend_optimization_level": 0}
        actual, expected = (
            jax.jit(run, compiler_options=options)(variables, image)
            for run in (apply, functools.partial(built(row).apply, train=False))
        )
    assert set(kernels) == {jnp.dtype("bfloat16")}
    for half, full in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        assert half.dtype == full.dtype == jnp.float32
        error = float(jnp.abs(half - full).mean() / (jnp.std(full) + 1e-6))
        # Rounding moves maxima inside their blocks, and SegNet puts values where they stood.
        assert error < (0.5 if row == "segnet" else 0.1)


def test_coarse_scores_have_the_resolution_of_the_head(row):
    model = built(row)
    if not hasattr(model, "upsample"):
        pytest.skip("It has no other resolution.")
    apply = functools.partial(model.clone(upsample=False).apply, train=False)
    image = jax.ShapeDtypeStruct((1, 64, 96, 3), jnp.float32)
    shape = jax.eval_shape(apply, variables_of(row), image).logits.shape
    assert shape[1] < 64
    assert shape[2] < 96
    assert shape[3] == NUM_CLASSES


def test_two_builds_have_the_same_variables(row):
    again = build_model(SECTIONS[row], num_classes=NUM_CLASSES, axis="device")
    image = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
    init = functools.partial(again.init, train=False)
    shapes = paths(jax.eval_shape(init, jax.random.key(0), image))
    assert {path: leaf.shape for path, leaf in shapes.items()} == {
        path: leaf.shape for path, leaf in paths(variables_of(row)).items()
    }


def test_the_backbone_is_named_backbone_and_heads_are_not(row):
    names = set(variables_of(row)["params"])
    assert ("backbone" in names) == ("backbone" in SECTIONS[row])
    assert names - {"backbone"}


@pytest.mark.parametrize("row", [row for row in SECTIONS if "atrous_rates" in SECTIONS[row]])
def test_rates_and_strides_are_in_no_name_or_shape(row):
    section = {**SECTIONS[row], "atrous_rates": [37, 41]}
    if section["name"] != "fastfcn":  # which needs stride 32
        section["backbone"] = {**section["backbone"], "output_stride": 32}
    other = build_model(section, num_classes=NUM_CLASSES, axis=None)
    variables = initialise(other, (1, 33, 33, 3), seed=0)
    shapes = {path: leaf.shape for path, leaf in paths(variables).items()}
    assert shapes == {path: leaf.shape for path, leaf in paths(variables_of(row)).items()}
