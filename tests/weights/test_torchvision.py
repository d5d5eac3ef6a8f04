"""Published ImageNet weights give the features they gave in PyTorch."""

import importlib.util
import json
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.backbones import BACKBONES
from seg_jax.backbones.resnet import resnet50
from seg_jax.layers.conv import Conv, ConvNormAct
from seg_jax.layers.norm import batch_norm
from seg_jax.layers.resize import resize_bilinear
from seg_jax.preprocess import IMAGENET
from seg_jax.registry import resolve
from seg_jax.weights import WEIGHTS, load_weights
from seg_jax.weights.state_dict import WeightsError, convert
from seg_jax.weights.torchvision import RESNET50

GOLDEN = Path(__file__).parents[1] / "golden" / "mobilenet_v2_imagenet.npz"
MOBILENET = "weights/mobilenet_v2_imagenet/mobilenet_v2-b0353104.safetensors"


TENSORS = {
    ("params", "kernel"): "weight",
    ("params", "scale"): "weight",
    ("params", "bias"): "bias",
    ("batch_stats", "mean"): "running_mean",
    ("batch_stats", "var"): "running_var",
}


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


class FCN(nn.Module):
    """torchvision's `fcn_resnet50` with its auxiliary head, up to the logits at stride 8."""

    @nn.compact
    def __call__(self, image):
        norm = batch_norm(train=False)
        backbone = resnet50(output_stride=8, norm=norm, name="backbone")
        *_, (_, third), (_, fourth) = backbone.stages(image)
        logits = []
        for name, x in (("classifier", fourth), ("aux_classifier", third)):
            x = ConvNormAct(x.shape[-1] // 4, norm=norm, name=f"{name}_hidden")(x)
            logits.append(Conv(21, 1, name=name)(x))
        return logits


def test_resnet50_gives_the_logits_of_torchvision(asset):
    path = asset("parity/keyed_weights.py")
    spec = importlib.util.spec_from_file_location("keyed_weights", path)
    keyed_weights = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(keyed_weights)
    name = "tv_fcn_resnet50_aux"
    state = keyed_weights.keyed_state(json.loads(asset(f"parity/{name}.json").read_text())["spec"])
    modules = {f"backbone.{there}": f"backbone/{here}" for there, here in RESNET50.modules.items()}
    for head in ("classifier", "aux_classifier"):
        modules[f"{head}.0"] = f"{head}_hidden/conv"
        modules[f"{head}.1"] = f"{head}_hidden/norm"
        modules[f"{head}.4"] = head
    variables = convert(state, modules, shapes(FCN()))
    image = jnp.asarray(keyed_weights.keyed_input((1, 3, 65, 65)).transpose(0, 2, 3, 1))
    logits = jax.jit(FCN().apply)(variables, image)
    golden = np.load(asset(f"parity/{name}.npz"))
    for i, x in enumerate(logits):
        expected = golden[f"y65_{i}"].transpose(0, 2, 3, 1)
        actual = resize_bilinear(x, (65, 65), align_corners=False)
        assert np.abs(actual - expected).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Model("mobilenet_v2", (("width", 0.5),)), "config.model.backbone to the sizes"),
        (Model("resnet18"), "config.weights.name and config.model.backbone to the same network"),
    ],
)
def test_weights_of_another_backbone_are_refused(asset, model, message):
    with pytest.raises(WeightsError, match=message):
        load_weights("mobilenet_v2_imagenet", asset(MOBILENET), shapes(model))


@pytest.mark.parametrize("name", sorted(WEIGHTS))
def test_every_name_maps_onto_every_leaf_of_its_backbone(name):
    variables = shapes(Model(name.removesuffix("_imagenet")))
    target = {collection: tree["backbone"] for collection, tree in variables.items()}
    weights = resolve(name, WEIGHTS, kind="weights", field="config.weights.name")
    state = {}
    for module, path in weights.modules.items():
        tree = target
        for step in path.split("/"):
            tree = {key: values[step] for key, values in tree.items() if step in values}
        for collection, leaves in tree.items():
            for leaf, shape in leaves.items():
                state[f"{module}.{TENSORS[collection, leaf]}"] = channels_first(shape.shape)
    converted = convert(state, weights.modules, target)
    assert jax.tree.map(jnp.shape, converted) == jax.tree.map(lambda leaf: leaf.shape, target)


def channels_first(shape):
    shape = (shape[3], shape[2], *shape[:2]) if len(shape) == 4 else shape
    return np.zeros(shape, np.float32)
