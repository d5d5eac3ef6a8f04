"""FCN-16s starts as FCN-32s predicted, FCN-8s as FCN-16s; what does not fit is refused."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.initialise import initialise
from seg_jax.models.build import build_model
from seg_jax.weights.state_dict import WeightsError
from seg_jax.weights.transfer import transfer

BACKBONE = {"name": "vgg16", "width": 0.04}


def build(name, **fields):
    section = {"name": name, "fc_features": 4, "fixed_crops": True, "backbone": BACKBONE}
    model = build_model({**section, **fields}, num_classes=3, axis=None)
    return model, initialise(model, (1, 64, 64, 3), seed=sum(map(ord, name)))


def scores(model, variables, **fields):
    image = jnp.asarray(np.random.RandomState(0).randn(1, 40, 50, 3), jnp.float32)
    apply = functools.partial(model.clone(**fields).apply, train=False)
    options = {"xla_backend_optimization_level": 0}
    return jax.jit(apply, compiler_options=options)(variables, image).logits


@pytest.mark.parametrize(
    ("coarse", "fine", "new"),
    [
        ("fcn32s", "fcn16s", {"score_pool4", "upscore2", "upscore16"}),
        ("fcn16s", "fcn8s", {"score_pool3", "upscore_pool4", "upscore8"}),
    ],
)
def test_a_finer_fcn_starts_with_the_coarser_prediction(coarse, fine, new):
    coarse_model, trained = build(coarse)
    model, variables = build(fine)
    started, kept = transfer(variables, trained)
    assert {leaf.split("/")[2] for leaf in kept} == new
    # Its own skip starts at zero, so it is the coarse scores upsampled in two steps.
    before = scores(coarse_model, trained)

    def difference(scores):
        return float(jnp.abs(scores - before).mean() / before.std())

    assert difference(scores(model, started)) < 0.2
    assert difference(scores(model, variables)) > 0.5


def test_another_number_of_classes_keeps_its_classifier():
    _, trained = build("fcn8s")
    section = {"name": "fcn8s", "fc_features": 4, "backbone": BACKBONE}
    model = build_model(section, num_classes=7, axis=None)
    variables = initialise(model, (1, 64, 64, 3), seed=5)
    started, kept = transfer(variables, trained)
    assert {leaf.split("/")[2] for leaf in kept} == {"score_fr", "score_pool3", "score_pool4"}
    np.testing.assert_array_equal(
        started["params"]["head"]["fc7"]["kernel"], trained["params"]["head"]["fc7"]["kernel"]
    )


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        ({"name": "vgg16", "width": 0.08}, r"has shape .* there and .* here"),
        ({"name": "vgg16", "width": 0.04, "batch_norm": True}, "'batch_stats/backbone/.* is not"),
    ],
)
def test_another_backbone_is_refused(backbone, message):
    _, trained = build("fcn32s")
    _, variables = build("fcn16s", backbone=backbone)
    with pytest.raises(WeightsError, match=message):
        transfer(variables, trained)
