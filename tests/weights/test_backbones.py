"""Published ImageNet weights give the features they gave in PyTorch."""

import json
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from seg_jax.backbones import BACKBONES
from seg_jax.layers.norm import batch_norm
from seg_jax.preprocess import IMAGENET
from seg_jax.registry import resolve
from seg_jax.weights import WEIGHTS, load_weights
from seg_jax.weights.names import find
from seg_jax.weights.state_dict import WeightsError, convert

GOLDEN = Path(__file__).parents[1] / "golden" / "mobilenet_v2_imagenet.npz"
PARITY = GOLDEN.parent / "parity"
MOBILENET = "weights/mobilenet_v2_imagenet/mobilenet_v2-b0353104.safetensors"


class Model(nn.Module):
    """A backbone under the name it has in every model, and a head."""

    backbone: str
    fields: tuple = ()

    @nn.compact
    def __call__(self, image):
        constructor = resolve(self.backbone, BACKBONES, kind="backbone", field="backbone")
        norm = batch_norm(train=False)
        features = constructor(norm=norm, name="backbone", **dict(self.fields))(image)
        nn.Dense(3, name="head")(features[max(features)])
        return features


def shapes(model):
    image = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)
    return jax.eval_shape(model.init, jax.random.key(0), image)


def test_mobilenet_v2_gives_the_features_of_pytorch(asset):
    """The golden file holds every 37th value of a float64 run, input RandomState(0).randn."""
    model = Model("mobilenet_v2")
    variables = shapes(model)
    head = jax.tree.map(lambda leaf: np.ones(leaf.shape), variables["params"]["head"])
    variables["params"]["head"] = head
    loaded, preprocessing = load_weights("mobilenet_v2_imagenet", asset(MOBILENET), variables)
    assert preprocessing == IMAGENET
    assert loaded["params"]["head"] is head
    image = np.random.RandomState(0).randn(1, 3, 65, 97).transpose(0, 2, 3, 1)
    backbone = resolve("mobilenet_v2", BACKBONES, kind="backbone", field="backbone")(
        norm=batch_norm(train=False)
    )
    inner = {collection: tree["backbone"] for collection, tree in loaded.items()}
    features = jax.jit(backbone.apply)(inner, jnp.asarray(image, jnp.float32))
    golden = np.load(GOLDEN)
    assert {f"stride{stride}" for stride in features} == set(golden.files)
    for stride, x in features.items():
        expected = golden[f"stride{stride}"]
        actual = np.asarray(x).ravel()[::37]
        assert np.abs(actual - expected).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Model("mobilenet_v2", (("width", 0.5),)), "the fields of config.model against"),
        (Model("resnet18"), "no line for .* Set the fields of config.model"),
    ],
)
def test_weights_of_another_backbone_are_refused(asset, model, message):
    with pytest.raises(WeightsError, match=message):
        load_weights("mobilenet_v2_imagenet", asset(MOBILENET), shapes(model))


FIELDS = {"resnet50_keras": {"stride_on": "1x1"}, "vgg16_bn_imagenet": {"batch_norm": True}}
EPSILONS = {"mobilenet_v3": 1e-3, "xception": 1e-3, "resnet50_keras": 1.001e-5}
"""Start of a name -> epsilon of its norms, where it is not 1e-5."""


def backbone_of(name):
    """Returns the backbone that published weights are of."""
    epsilon = next((value for start, value in EPSILONS.items() if name.startswith(start)), 1e-5)
    return resolve(
        name.rpartition("_")[0].removesuffix("_bn"), BACKBONES, kind="backbone", field="name"
    )(norm=batch_norm(train=False, epsilon=epsilon), **FIELDS.get(name, {}))


def shapes_of(backbone):
    image = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)
    return jax.eval_shape(backbone.init, jax.random.key(0), image)


@pytest.mark.parametrize("name", sorted(path.stem for path in PARITY.glob("encoder-*.npz")))
def test_features_are_those_of_the_reference(name, keyed_state, keyed_input, run_once):
    golden = np.load(PARITY / f"{name}.npz")
    name = name.removeprefix("encoder-")
    weights = resolve(name, WEIGHTS, kind="weights", field="config.weights.name")
    state = keyed_state(json.loads(golden["spec"].tobytes()))
    if name == "resnet50_keras":
        state = in_keras_form(state)
    backbone = backbone_of(name)
    variables = weights.convert(state, shapes_of(backbone))
    (size,) = (key for key in golden.files if key.startswith("y"))
    height, width = map(int, size[1:].removesuffix("_0").split("x"))
    features = run_once(backbone.apply, variables, keyed_input(height, width))
    expected = golden[size]
    actual = np.asarray(features[32]).transpose(0, 3, 1, 2)
    assert np.abs(actual - expected).max() < 1e-5 * np.abs(expected).max()


def in_keras_form(state):
    """Renames a state dict to what Keras' layers hold, kernels channels last."""
    names = {
        "weight": "gamma",
        "bias": "beta",
        "running_mean": "moving_mean",
        "running_var": "moving_variance",
    }
    tensors = {}
    for key, value in state.items():
        layer, _, tensor = key.rpartition(".")
        if layer.endswith("_conv"):
            tensors[f"{layer}/{layer}/{'kernel' if tensor == 'weight' else 'bias'}:0"] = (
                value.transpose(2, 3, 1, 0) if value.ndim == 4 else value
            )
        else:
            tensors[f"{layer}/{names[tensor]}"] = value
    return tensors


@pytest.mark.parametrize("name", sorted(WEIGHTS))
def test_every_name_maps_onto_every_leaf_of_its_backbone(name):
    target = shapes_of(backbone_of(name))
    weights = resolve(name, WEIGHTS, kind="weights", field="config.weights.name")
    state = {}
    for leaf, shape in flatten_dict(target, sep="/").items():
        module, _, last = leaf.partition("/")[2].rpartition("/")
        place = find(module, weights.names)
        assert place is not None, leaf
        state[f"{place.module}.{TENSORS[last]}"] = channels_first(shape.shape)
    converted = convert(state, weights.names, target)
    assert jax.tree.map(jnp.shape, converted) == jax.tree.map(lambda leaf: leaf.shape, target)


TENSORS = {
    "kernel": "weight",
    "scale": "weight",
    "bias": "bias",
    "mean": "running_mean",
    "var": "running_var",
}


def channels_first(shape):
    shape = (shape[3], shape[2], *shape[:2]) if len(shape) == 4 else shape
    return np.zeros(shape, np.float32)
