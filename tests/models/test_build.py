"""Sections that build, and the sentence that every wrong one gets."""

from functools import partial

import jax
import jax.numpy as jnp
import pytest
from flax import linen as nn

from seg_jax.models import MODELS, unet
from seg_jax.models.build import at_output_stride, build_model
from seg_jax.typing import Outputs

TINY = {"name": "tiny", "width": 4}
UNET = {"name": "unet", "base_features": 2, "depth": 2}
DEEPLAB = {"name": "deeplab_v3", "head_features": 4, "atrous_rates": [1, 2]}


def build(section):
    return build_model(section, num_classes=5, axis=None)


def test_lists_become_tuples_and_unnamed_fields_keep_their_default():
    model = build({**DEEPLAB, "dropout_rate": 0, "backbone": TINY})
    assert model.atrous_rates == (1, 2)
    assert isinstance(model.dropout_rate, float)
    assert model.align_corners is True
    assert model.num_classes == 5


def test_the_section_is_left_as_it_was():
    section = {**UNET, "norm": {"momentum": 0.5}}
    build(section)
    assert section == {**UNET, "norm": {"momentum": 0.5}}


def test_the_norm_is_one_of_a_table():
    norm = build({**UNET, "norm": {"name": "group", "groups": 2}}).norm(True)(name="norm")
    assert (type(norm).__name__, norm.groups) == ("GroupNorm", 2)
    with pytest.raises(ValueError, match=r"Unknown norm 'grup'. Did you mean 'group'.*norm\.name"):
        build({**UNET, "norm": {"name": "grup"}})
    with pytest.raises(ValueError, match=r"field of the norm 'group': 'momentum'.*norm\.momentum"):
        build({**UNET, "norm": {"name": "group", "momentum": 0.9}})


def test_batch_norm_takes_momentum_epsilon_and_axis():
    section = {**UNET, "norm": {"momentum": 0.75, "epsilon": 1e-3}}
    norm = build_model(section, num_classes=5, axis="device").norm(True)(name="norm")
    assert (norm.momentum, norm.epsilon, norm.axis_name) == (0.75, 1e-3, "device")
    assert not norm.use_running_average
    assert build(section).norm(False)(name="norm").use_running_average


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({}, r"config\.model=\{\} names nothing\. Set config\.model\.name\."),
        ({"name": 3}, r"config\.model\.name=3 is not a string"),
        ({"name": "deeplabv3"}, r"Unknown model 'deeplabv3'\. Did you mean 'deeplab_v3'\?"),
        (
            {**UNET, "base_feature": 4},
            r"Unknown field of unet 'base_feature'\. Did you mean 'base_features'\? .*"
            r"config\.model\.base_feature ",
        ),
        ({**UNET, "num_classes": 4}, r"Unknown field of unet 'num_classes'"),
        ({**UNET, "base_features": "8"}, r"config\.model\.base_features='8' is not an integer"),
        ({**UNET, "padded": 1}, r"config\.model\.padded=1 is not True or False"),
        (
            {**UNET, "upsampling": "cubic"},
            r"config\.model\.upsampling='cubic' is not one of 'transposed', 'bilinear', .*",
        ),
        (
            {**UNET, "norm": {"decay": 0.9}},
            r"Unknown field of the norm 'batch': 'decay'.*config\.model\.norm\.decay",
        ),
        ({**UNET, "norm": {"momentum": "0.9"}}, r"config\.model\.norm\.momentum='0\.9' is not a n"),
        ({**UNET, "norm": 0.9}, r"config\.model\.norm=0\.9 is not a section"),
        (
            {**UNET, "padded": False, "backbone": TINY},
            r"config\.model\.padded=False has no meaning over a backbone",
        ),
        (DEEPLAB, r"config\.model\.name='deeplab_v3' needs a backbone\. Set .* resnet50"),
        ({**DEEPLAB, "backbone": "resnet50"}, r"config\.model\.backbone='resnet50' names nothing"),
        (
            {**DEEPLAB, "backbone": {"name": "resnet5"}},
            r"Unknown backbone 'resnet5'.*backbone\.name",
        ),
        (
            {**DEEPLAB, "backbone": {**TINY, "stage_sizes": [2]}},
            r"Unknown field of tiny 'stage_sizes'.*config\.model\.backbone\.stage_sizes",
        ),
        (
            {**DEEPLAB, "backbone": {**TINY, "output_stride": 6}},
            r"output_stride=6 cannot be reached.*config\.model\.backbone\.output_stride",
        ),
        (
            {**DEEPLAB, "atrous_rates": 6, "backbone": TINY},
            r"config\.model\.atrous_rates=6 is not a tuple",
        ),
        (
            {"name": "deeplab_v2", "atrous_rates": [], "backbone": TINY},
            r"config\.model\.atrous_rates=\(\) leaves deeplab_v2 without a branch",
        ),
        (
            {"name": "deeplab_v2", "scales": [0.5, 1.0], "backbone": TINY},
            r"config\.model\.scales=\(0\.5, 1\.0\) holds a scale outside \(0, 1\)",
        ),
        (
            {"name": "fcn8s", "fixed_crops": True, "fc_kernel_size": 3, "backbone": TINY},
            r"config\.model\.fc_kernel_size=3 does not go with config\.model\.fixed_crops=True",
        ),
        (
            {"name": "fcn16s", "learned_upsampling": True, "backbone": TINY},
            r"config\.model\.learned_upsampling=True trains .* only config\.model\.fixed_crops=T",
        ),
        (
            {"name": "fcn16s", "finest_stride": 8, "backbone": TINY},
            r"Unknown field of fcn16s 'finest_stride'",
        ),
        (
            {**DEEPLAB, "name": "deeplab_v3plus", "atrous_rates": [6, 0], "backbone": TINY},
            r"config\.model\.atrous_rates=\(6, 0\) holds a rate below 1",
        ),
        (
            {"name": "deeplab_v3plus", "backbone": {**TINY, "output_stride": 2}},
            r"deeplab_v3plus reads strides 4 of its backbone, which gives 2\.",
        ),
        (
            {"name": "fastfcn", "backbone": {**TINY, "output_stride": 16}},
            r"fastfcn reads strides 8, 16, 32 of its backbone, which gives 2, 4, 8, 16\. "
            r"Set config\.model\.backbone\.output_stride to at least 32",
        ),
        (
            {"name": "fastfcn", "atrous_rates": [0], "backbone": TINY},
            r"config\.model\.atrous_rates=\(0,\) holds a rate below 1",
        ),
        (
            {"name": "fcn8s", "backbone": {**TINY, "output_stride": 8}},
            r"fcn8s reads strides 8, 16, 32 of its backbone, which gives 2, 4, 8\.",
        ),
    ],
)
def test_a_wrong_section_is_refused_in_one_sentence(section, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        build(section)
    assert "\n" not in str(error.value)


class Alone(nn.Module):
    """An architecture that takes no backbone."""

    num_classes: int
    norm: object

    @nn.compact
    def __call__(self, image, *, train):
        return Outputs(jnp.zeros((*image.shape[:3], self.num_classes)))


def test_a_backbone_is_refused_where_none_is_taken(monkeypatch):
    monkeypatch.setattr(unet, "Alone", Alone, raising=False)
    monkeypatch.setitem(MODELS, "alone", "seg_jax.models.unet:Alone")
    build({"name": "alone"})
    with pytest.raises(ValueError, match=r"takes no backbone\. Remove config\.model\.backbone"):
        build({"name": "alone", "backbone": TINY})


@pytest.mark.parametrize("rates", [None, [2, 4]])
def test_another_output_stride_keeps_the_parameters_and_scales_the_rates(rates):
    section = {"name": "deeplab_v3", "head_features": 4, "backbone": {**TINY, "output_stride": 16}}
    if rates:
        section["atrous_rates"] = rates
    trained, denser = build(section), build(at_output_stride(section, 8))
    assert denser.atrous_rates == tuple(2 * rate for rate in trained.atrous_rates)
    assert denser.backbone.keywords["output_stride"] == 8
    image = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)
    shapes = [
        jax.eval_shape(partial(model.init, train=False), jax.random.key(0), image)
        for model in (trained, denser)
    ]
    assert shapes[0] == shapes[1]
    assert section["backbone"]["output_stride"] == 16


@pytest.mark.parametrize(
    ("section", "output_stride", "sentence"),
    [
        (UNET, 8, r"config\.evaluate\.output_stride=8 needs a backbone .*'unet' has none here"),
        (
            {**DEEPLAB, "atrous_rates": [1, 3], "backbone": {**TINY, "output_stride": 8}},
            16,
            r"rates of the head 1/2, 3/2, trained at an output stride of 8",
        ),
    ],
)
def test_an_output_stride_that_cannot_be_is_refused(section, output_stride, sentence):
    with pytest.raises(ValueError, match=sentence):
        at_output_stride(section, output_stride)
