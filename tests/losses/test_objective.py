"""How losses are weighed and added: heads, factors, class and border weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.labels import IGNORE_LABEL
from seg_jax.losses.cross_entropy import softmax_cross_entropy
from seg_jax.losses.objective import make_objective
from seg_jax.losses.presence import presence_cross_entropy
from seg_jax.losses.region import dice
from seg_jax.typing import Outputs


def objective(terms=None, **options):
    options = {"num_classes": 4, "aux_weight": 0.4, "presence_weight": 0.2, **options}
    return make_objective({"cross_entropy": {}} if terms is None else terms, **options)


@pytest.fixture
def batch(case):
    return {"image": jnp.zeros((2, 5, 7, 3), jnp.uint8), "label": case.labels}


def test_every_loss_is_a_term_of_every_head(case, batch):
    outputs = Outputs(case.logits, {"fcn": 2 * case.logits}, case.logits[:, 4, 4])
    terms = {"cross_entropy": {"weight": 2.0, "label_smoothing": 0.1}, "dice": {"smooth": 1}}
    made = jax.jit(objective(terms))(outputs, batch)
    factors = {name: term.factor for name, term in made.items()}
    assert factors == {
        "cross_entropy": 2.0,
        "cross_entropy/fcn": 0.8,
        "dice": 1.0,
        "dice/fcn": 0.4,
        "presence": 0.2,
    }
    for suffix, logits in (("", case.logits), ("/fcn", 2 * case.logits)):
        for name, expected in (
            (
                "cross_entropy",
                softmax_cross_entropy(logits, case.labels, case.weights, label_smoothing=0.1),
            ),
            ("dice", dice(logits, case.labels, case.weights, smooth=1.0)),
        ):
            term = made[name + suffix]
            np.testing.assert_allclose((term.sum, term.weight), expected, rtol=1e-6)
    presence = made["presence"]
    np.testing.assert_allclose(
        (presence.sum, presence.weight),
        presence_cross_entropy(outputs.presence, case.labels),
        rtol=1e-6,
    )


def test_terms_add_up_leaf_by_leaf_and_keep_their_factor(case, batch):
    made = objective(aux_weight=0.0)(Outputs(case.logits), batch)
    twice = jax.tree.map(jnp.add, made, made)
    assert twice["cross_entropy"].sum == 2 * made["cross_entropy"].sum
    assert twice["cross_entropy"].weight == 2 * 56
    assert twice["cross_entropy"].factor == 1.0


def test_what_has_no_factor_is_not_measured(case, batch):
    outputs = Outputs(case.logits, {"fcn": case.logits}, case.logits[:, 0, 0])
    terms = {"cross_entropy": {"weight": 0}, "dice": {}}
    assert list(objective(terms, presence_weight=0.0)(outputs, batch)) == ["dice", "dice/fcn"]
    assert list(objective(terms, aux_weight=0.0)(outputs, batch)) == ["dice", "presence"]


def test_a_pixel_counts_as_its_class_and_the_border_say(case, batch):
    border = np.random.RandomState(2).rand(2, 5, 7).astype(np.float32)
    weights = (0.5, 1.0, 0.0, 4.0)
    expected = np.zeros((2, 5, 7))
    for p in case.pixels:
        expected[p] = weights[case.truth[p]]
    weighed = objective(class_weights=weights)
    np.testing.assert_array_equal(weighed.pixel_weights(batch), expected)
    assert (border[case.labels == IGNORE_LABEL] > 0).all()
    for p in case.pixels:
        expected[p] += border[p]
    both = weighed.pixel_weights({**batch, "border": jnp.asarray(border)})
    np.testing.assert_allclose(both, expected, rtol=1e-6)
    np.testing.assert_array_equal(objective().pixel_weights(batch), case.weights)
    made = weighed(Outputs(case.logits), batch)["cross_entropy"]
    assert made.weight == sum(weights[case.truth[p]] for p in case.pixels)


WRONG = [
    ({"cross_entropi": {}}, r"Unknown loss 'cross_entropi'.*'cross_entropy'.*config\.loss\.terms"),
    (
        {"focal": {"gama": 1.0}},
        r"'gama'\. Did you mean 'gamma'\?.*weight.*config\.loss\.terms\.focal\.gama",
    ),
    ({"focal": {"gamma": "2"}}, r"config\.loss\.terms\.focal\.gamma is '2'.*a finite number"),
    ({"focal": {"gamma": True}}, r"config\.loss\.terms\.focal\.gamma is True.*a finite number"),
    ({"focal": {"gamma": float("nan")}}, r"terms\.focal\.gamma is nan.*a finite number"),
    ({"focal": {"weight": float("inf")}}, r"terms\.focal\.weight is inf.*a finite number"),
    ({"focal": {"weight": -1.0}}, r"weighed by -1\.0.*config\.loss\.terms\.focal\.weight"),
    ({"focal": {"gamma": -1}}, r"config\.loss\.terms\.focal\.gamma to 0 or more"),
    ({"ohem": {"min_kept": 2.5}}, r"config\.loss\.terms\.ohem\.min_kept is 2\.5.*an integer"),
    ({"ohem": {"min_kept": True}}, r"config\.loss\.terms\.ohem\.min_kept is True.*an integer"),
    ({"ohem": {"min_kept": -1}}, r"config\.loss\.terms\.ohem\.min_kept to 0 or more"),
    ({"ohem": {"threshold": 0}}, r"config\.loss\.terms\.ohem\.threshold to a value in \(0, 1\]"),
    ({"ohem": {"threshold": 1.1}}, r"config\.loss\.terms\.ohem\.threshold to a value in \(0, 1\]"),
    ({"top_k": {"share": 0.0}}, r"config\.loss\.terms\.top_k\.share to a value in \(0, 1\]"),
    ({"top_k": {"share": 1.5}}, r"config\.loss\.terms\.top_k\.share to a value in \(0, 1\]"),
    (
        {"cross_entropy": {"reduction": "none"}},
        r"config\.loss\.terms\.cross_entropy\.reduction is 'none'.*one of 'mean', 'sum'",
    ),
    ({"cross_entropy": {"label_smoothing": 1.0}}, r"label_smoothing to a value in \[0, 1\)"),
    ({"cross_entropy": {"label_smoothing": -0.1}}, r"label_smoothing to a value in \[0, 1\)"),
    ({"dice": {"smooth": -1.0}}, r"config\.loss\.terms\.dice\.smooth to 0 or more"),
    ({"jaccard": {"smooth": -1.0}}, r"config\.loss\.terms\.jaccard\.smooth to 0 or more"),
    ({"tversky": {"smooth": -1.0}}, r"config\.loss\.terms\.tversky\.smooth to 0 or more"),
    ({"tversky": {"alpha": -1.0}}, r"config\.loss\.terms\.tversky\.alpha to 0 or more"),
    ({"tversky": {"beta": -1.0}}, r"config\.loss\.terms\.tversky\.beta to 0 or more"),
    (
        {"lovasz": {"labels": 1}},
        r"'labels'.*Known: weight\.'?.*config\.loss\.terms\.lovasz\.labels",
    ),
    ({}, r"nothing to minimise.*config\.loss\.terms"),
    ({"dice": {"weight": 0.0}}, r"nothing to minimise.*config\.loss\.terms"),
]


@pytest.mark.parametrize(("terms", "message"), WRONG)
def test_what_is_no_loss_or_argument_is_refused_before_training(terms, message):
    with pytest.raises(ValueError, match=message):
        objective(terms)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_weights": (1.0, 2.0)}, r"each of 4 classes: set config\.loss\.class_weights"),
        ({"class_weights": (1.0, 2.0, -1.0, 1.0)}, r"non-negative.*config\.loss\.class_weights"),
        ({"class_weights": (1.0, 2.0, float("nan"), 1.0)}, r"config\.loss\.class_weights"),
        ({"class_weights": (0.0,) * 4}, r"no pixel counts: set config\.loss\.class_weights"),
        ({"aux_weight": -0.4}, r"weighed by -0\.4: set config\.loss\.aux_weight"),
        ({"aux_weight": float("inf")}, r"weighed by inf: set config\.loss\.aux_weight"),
        ({"presence_weight": float("nan")}, r"weighed by nan: set config\.loss\.presence_weight"),
    ],
)
def test_weights_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        objective(**options)
